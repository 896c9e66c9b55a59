import type { Span } from '../otlp.ts';
import { a2a } from './a2a.ts';
import { database } from './database.ts';
import { genAi } from './gen-ai.ts';
import { http } from './http.ts';
import { mcp } from './mcp.ts';
import { messaging } from './messaging.ts';
import { openInference } from './openinference.ts';
import { otelIdentity } from './otel-identity.ts';
import { type Named, type Reading, type Vocabulary, viewOf } from './reading.ts';
import { rpc } from './rpc.ts';
import { traceloop } from './traceloop.ts';
import { vercelAi } from './vercel-ai.ts';

/** In order of precedence: the first that says something of a field is believed. Adding one is adding its module here. */
export const VOCABULARIES: readonly Vocabulary[] = [
  otelIdentity,
  mcp,
  a2a,
  genAi,
  openInference,
  traceloop,
  vercelAi,
  rpc,
  messaging,
  database,
  http,
];

/** Everything all vocabularies together say of one span. */
export interface SpanReading extends Reading {
  readonly users: readonly Named[];
  /** Names of the vocabularies that said something, joined by `+`. */
  readonly vocabulary: string;
}

/** Reads a span in every vocabulary. Pure. */
export function readSpan(span: Pick<Span, 'kind' | 'attributes'>): SpanReading {
  const view = viewOf(span);
  const told: { name: string; reading: Reading }[] = [];
  for (const vocabulary of VOCABULARIES) {
    const reading = span.attributes.size === 0 ? undefined : vocabulary.read(view);
    if (reading !== undefined && Object.keys(reading).length > 0) told.push({ name: vocabulary.name, reading });
  }
  const merged = Object.assign({}, ...told.map(({ reading }) => reading).toReversed()) as Reading; // Readings only
  const names = told.map(({ name }) => name).join('+');
  return {
    ...merged,
    ...(merged.step === undefined && merged.agent !== undefined ? { step: 'agent' as const } : {}),
    users: told.flatMap(({ reading }) => reading.users ?? []),
    vocabulary: names === '' ? 'otel' : names.slice(0, 64),
  };
}
