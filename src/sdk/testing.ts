/**
 * For a service's own tests: a collector in memory that `startBehalf({ collectorUrl: collector.url })` reports to, and matchers
 * that say "this was done on behalf of X with scope Y". Keeps everything, acknowledges everything, listens on loopback.
 */
import { AssertionError } from 'node:assert';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fieldsOf } from './protobuf-fields.ts';
import * as semconv from './semconv.ts';

/** An observation as it was sent. */
export interface SeenObservation {
  readonly kind: 'hop' | 'exchange';
  readonly service: string;
  /** By the names of `@behalf/sdk/semconv`. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What an observation must be; a member that is left out may be anything. */
export interface Expected {
  readonly kind?: 'hop' | 'exchange';
  readonly side?: 'caller' | 'callee' | 'local';
  readonly service?: string;
  /** Id of the subject. */
  readonly onBehalfOf?: string;
  /** Ids of the actors, oldest first, all of them. */
  readonly through?: readonly string[];
  /** A scope the token held. */
  readonly scope?: string;
  readonly operation?: string;
  readonly resource?: string;
  readonly decision?: 'permit' | 'deny';
  /** Why, as the decision says. */
  readonly reason?: string;
  readonly verification?: 'verified' | 'failed' | 'unverified' | 'absent';
}

export interface TestCollector {
  readonly url: string;
  readonly observations: readonly SeenObservation[];
  /** The observations that are as expected. */
  matching(expected: Expected): readonly SeenObservation[];
  /** The one that is as expected. Throws AssertionError, listing what was seen, when there is none or more than one. */
  expectOne(expected: Expected): SeenObservation;
  /** Throws AssertionError when there is any. */
  expectNone(expected: Expected): void;
  clear(): void;
  close(): Promise<void>;
}

export async function startTestCollector(): Promise<TestCollector> {
  let seen: SeenObservation[] = [];
  const server = createServer(async (request, response) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part);
    try {
      seen.push(...observationsIn(Buffer.concat(parts)));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    } catch {
      response.writeHead(400).end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const matching = (expected: Expected) => seen.filter((each) => isAs(each, expected));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get observations() {
      return seen;
    },
    matching,
    expectOne: (expected) => {
      const [found, ...more] = matching(expected);
      if (found !== undefined && more.length === 0) return found;
      throw failure(found === undefined ? 'no observation is' : `${more.length + 1} observations are`, expected, seen);
    },
    expectNone: (expected) => {
      if (matching(expected).length > 0) throw failure('an observation is', expected, seen);
    },
    clear: () => {
      seen = [];
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function isAs({ kind, service, attributes }: SeenObservation, expected: Expected): boolean {
  const given = summaryOf({ kind, service, attributes });
  return Object.entries(expected).every(([name, wanted]) => {
    if (name === 'scope') return [attributes[semconv.AUTHORITY_SCOPES] ?? []].flat().includes(wanted);
    return JSON.stringify(given[name as keyof Expected]) === JSON.stringify(wanted);
  });
}

const idOf = (party: unknown): string | undefined =>
  typeof party === 'object' && party !== null && 'id' in party ? String(party.id) : undefined;

const summaryOf = ({
  kind,
  service,
  attributes,
}: SeenObservation): Readonly<Partial<Record<keyof Expected, unknown>>> => ({
  kind,
  service,
  side: attributes[semconv.HOP_SIDE],
  onBehalfOf: idOf(attributes[semconv.SUBJECT]),
  through: [attributes[semconv.ACTORS] ?? []].flat().map(idOf),
  scope: attributes[semconv.AUTHORITY_SCOPES],
  operation: attributes[semconv.OPERATION],
  resource: attributes[semconv.RESOURCE],
  decision: attributes[semconv.DECISION_OUTCOME],
  reason: attributes[semconv.DECISION_REASON],
  verification: attributes[semconv.VERIFICATION_STATUS],
});

function failure(says: string, expected: Expected, seen: readonly SeenObservation[]): AssertionError {
  const list = seen.map((each) => `  ${JSON.stringify(summaryOf(each))}`).join('\n');
  const message = `${says} ${JSON.stringify(expected)}; seen:\n${list || '  nothing: was behalf.flush() awaited?'}`;
  return new AssertionError({ message, expected, actual: seen.map(summaryOf) });
}

/** ExportLogsServiceRequest → ResourceLogs → ScopeLogs → LogRecord (opentelemetry-proto v1). */
function observationsIn(bytes: Uint8Array): readonly SeenObservation[] {
  return messages(bytes, 1).flatMap((resourceLogs) => {
    const service = messages(resourceLogs, 1).map((resource) => attributesIn(resource, 1)['service.name'])[0];
    return messages(resourceLogs, 2)
      .flatMap((scopeLogs) => messages(scopeLogs, 2))
      .map((record) => ({
        kind: textIn(record, 12) === semconv.EVENT_EXCHANGE ? ('exchange' as const) : ('hop' as const),
        service: String(service),
        attributes: attributesIn(record, 6),
      }));
  });
}

const messages = (bytes: Uint8Array, field: number): readonly Uint8Array[] =>
  [...fieldsOf(bytes)].flatMap((each) =>
    each.field === field && each.value instanceof Uint8Array ? [each.value] : [],
  );

const textIn = (bytes: Uint8Array, field: number): string =>
  Buffer.from(messages(bytes, field)[0] ?? []).toString('utf8');

const attributesIn = (bytes: Uint8Array, field: number): Record<string, unknown> =>
  Object.fromEntries(messages(bytes, field).map((pair) => [textIn(pair, 1), messages(pair, 2).map(plainValue)[0]]));

function plainValue(any: Uint8Array): unknown {
  for (const { field, value } of fieldsOf(any)) {
    if (value instanceof Uint8Array) {
      if (field === 1) return Buffer.from(value).toString('utf8');
      if (field === 5) return messages(value, 1).map(plainValue);
      if (field === 6) return attributesIn(value, 1);
    } else if (field === 2) return value === 1n;
    else if (field === 3) return Number(BigInt.asIntN(64, value));
  }
  return undefined;
}
