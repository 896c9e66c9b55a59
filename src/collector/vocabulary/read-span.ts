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

/** For each attribute, the vocabularies that read it: one bit each, by their place in VOCABULARIES. */
const READERS = new Map<string, number>();
for (const [place, { keys }] of VOCABULARIES.entries())
  for (const key of keys) READERS.set(key, (READERS.get(key) ?? 0) | (1 << place));

/** The vocabularies that may have something to say: a span without any of its attributes is nothing to a vocabulary. */
function readersOf({ attributes }: Pick<Span, 'attributes'>): number {
  let readers = 0;
  for (const key of attributes.keys()) readers |= READERS.get(key) ?? 0;
  return readers;
}

/** Reads a span in every vocabulary. Pure. */
export function readSpan(span: Pick<Span, 'kind' | 'attributes'>): SpanReading {
  const readers = readersOf(span);
  const view = viewOf(span);
  const told: Reading[] = [];
  let names = '';
  for (const [place, vocabulary] of VOCABULARIES.entries()) {
    const reading = (readers & (1 << place)) === 0 ? undefined : vocabulary.read(view);
    if (reading === undefined || saysNothing(reading)) continue;
    told.push(reading);
    names = names === '' ? vocabulary.name : `${names}+${vocabulary.name}`;
  }
  const read: Filled = Object.assign({ users: NOBODY, vocabulary: '' }, ...told.toReversed());
  if (read.step === undefined && read.agent !== undefined) read.step = 'agent';
  read.users = told.length === 1 ? read.users : told.flatMap(({ users }) => users ?? []);
  read.vocabulary = names === '' ? 'otel' : names.slice(0, 64);
  return read;
}

type Filled = { -readonly [K in keyof SpanReading]: SpanReading[K] };
const NOBODY: readonly Named[] = [];

function saysNothing(reading: Reading): boolean {
  for (const _field in reading) return false;
  return true;
}
