import * as semconv from '@behalf/sdk/semconv';
import { attributes, inProtobuf, logs, type Signal, START, span, spanId, TRACE_ID, traces } from './harness.ts';

const rich = span(1, 2, {
  parentSpanId: spanId(2),
  flags: 769,
  links: [{ traceId: TRACE_ID, spanId: spanId(3) }],
  status: { code: 2 },
  with: {
    'user.id': 'dana',
    'url.full': 'https://books.example/x',
    'http.status_code': 200,
    'app.list': [1, { a: true }],
  },
});
const hop = {
  eventName: semconv.EVENT_HOP,
  timeUnixNano: String(START),
  traceId: TRACE_ID,
  spanId: spanId(1),
  attributes: attributes({
    [semconv.OBSERVATION_ID]: '0198c0de-0000-7000-8000-000000000001',
    [semconv.HOP_SIDE]: 'callee',
    [semconv.ACTORS]: [{ type: 'user', id: 'dana', basis: 'token' }],
    [semconv.ANOMALIES]: [{ code: 'x' }],
    [semconv.AUTHORITY_SCOPES]: ['a', 'b'],
    [semconv.VERIFICATION_STATUS]: 'verified',
  }),
};
const REQUESTS = {
  traces: traces('payments', rich, span(2, 1), span(3, 3)),
  logs: logs('payments', hop, { eventName: 'x' }),
};
export interface Seed {
  readonly signal: Signal;
  readonly type: 'json' | 'protobuf';
  readonly body: Buffer;
}

/** Good requests of both signals in both encodings, to be mutated. */
export const SEEDS: readonly [Seed, ...Seed[]] = [
  { signal: 'traces', type: 'protobuf', body: Buffer.from(inProtobuf('traces', REQUESTS.traces)) },
  { signal: 'traces', type: 'json', body: Buffer.from(JSON.stringify(REQUESTS.traces)) },
  { signal: 'logs', type: 'protobuf', body: Buffer.from(inProtobuf('logs', REQUESTS.logs)) },
  { signal: 'logs', type: 'json', body: Buffer.from(JSON.stringify(REQUESTS.logs)) },
];
