import { attributes, inProtobuf } from '../../collector/harness.ts';

export type Encoding = 'protobuf' | 'json';

/** Stands in every id of a body; replaced, request by request, so that no two requests carry the same span. */
const PLACE = 'f00dfeed';
const SPANS_PER_TRACE = 8;
const USERS = 1000;

/** A request body that is renewed in place. */
export interface RequestBody {
  readonly bytes: Buffer;
  /** Gives every trace and span id another value; `number` is below 2^32. */
  renew(number: number): void;
  copy(): RequestBody;
}

/**
 * An export request of `count` spans of 12 attributes: traces of eight alternating server and client spans, 1,000 users;
 * another `seed` has others.
 */
export function requestBody(encoding: Encoding, count: number, connection: number, seed = 1): RequestBody {
  const request = {
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': `service-${connection}`, 'service.version': '1.4.2' }) },
        scopeSpans: [
          {
            scope: { name: '@opentelemetry/instrumentation-http', version: '0.301.0' },
            spans: Array.from({ length: count }, (_, i) => spanOf(i, connection, seed)),
          },
        ],
      },
    ],
  };
  const isJson = encoding === 'json';
  const bytes = Buffer.from(isJson ? JSON.stringify(request) : inProtobuf('traces', request));
  const place = isJson ? Buffer.from(PLACE) : Buffer.from(PLACE, 'hex');
  return renewable(bytes, { isJson, places: occurrences(bytes, place) });
}

function renewable(bytes: Buffer, form: { readonly isJson: boolean; readonly places: readonly number[] }): RequestBody {
  const { isJson, places } = form;
  return {
    bytes,
    copy: () => renewable(Buffer.from(bytes), form),
    renew(number) {
      const hex = (number >>> 0).toString(16).padStart(8, '0');
      for (const at of places) {
        if (isJson) bytes.write(hex, at, 'latin1');
        else bytes.writeUInt32BE(number >>> 0, at);
      }
    },
  };
}

function spanOf(i: number, connection: number, seed: number) {
  const isServer = i % 2 === 0;
  const start = BigInt(Date.now()) * 1_000_000n + BigInt(seed) * 1_000_000_000n + BigInt(i) * 1_000_000n; // ids go by time
  return {
    traceId: idOf(Math.floor(i / SPANS_PER_TRACE), 0).repeat(2),
    spanId: idOf(i, 1),
    ...(i % SPANS_PER_TRACE === 0 ? {} : { parentSpanId: idOf(i - 1, 1) }),
    name: isServer ? 'POST /invoices/{id}/pay' : 'POST',
    kind: isServer ? 2 : 3,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 750_000n),
    attributes: attributes({
      'http.request.method': 'POST',
      'http.route': '/invoices/{id}/pay',
      'url.path': `/invoices/${i}/pay`,
      'url.scheme': 'https',
      'server.address': 'payments.internal.example',
      'server.port': 8443,
      'http.response.status_code': 200,
      'user_agent.original': 'books-client/3.1 (node 24)',
      'network.protocol.version': '1.1',
      'client.address': '10.0.12.7',
      'thread.id': 7,
      'user.id': `user-${seed}-${(connection * 64 + Math.floor(i / SPANS_PER_TRACE)) % USERS}`,
    }),
    status: { code: 1 },
  };
}

/** Eight bytes in hex; the last four tell the ids of one request apart. */
const idOf = (i: number, kind: number): string => `${PLACE}${(kind * 2 ** 24 + i + 1).toString(16).padStart(8, '0')}`;

function occurrences(bytes: Buffer, place: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(place); at >= 0; at = bytes.indexOf(place, at + place.length)) found.push(at);
  return found;
}
