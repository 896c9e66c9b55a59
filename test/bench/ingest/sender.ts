/*
 * Sends requests over sixteen connections, as cheaply as it can: it shares two cores with what it measures. A child
 * process: one order in, one measurement out.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Encoding, type RequestBody, requestBody } from './request-body.ts';

export interface Order {
  readonly port: number;
  readonly encoding: Encoding;
  readonly perRequest: number;
  readonly seconds: number;
  readonly seed?: number;
  readonly connections: number;
  /** Requests start on a clock at this rate over all connections, late ones counted from when they should have started. */
  readonly requestsPerSecond?: number;
}
export interface Measured {
  readonly hopsPerSecond: number;
  readonly requests: number;
  readonly answers: Readonly<Record<string, number>>; // by status
  /** Numbers of the requests that were answered 200: what `renew` was given. */
  readonly acknowledged: readonly number[];
  /** Answers other than 200 that ask to come again: 429 or 503, with Retry-After. */
  readonly retryable: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

let number = 1;

process.on('message', (order: Order | 'stop') => {
  if (order === 'stop') return process.disconnect();
  measure(order).then(
    (measured) => process.send?.(measured),
    (error) => {
      throw error;
    },
  );
});

async function measure(order: Order): Promise<Measured> {
  const latencies: number[] = [];
  const answers: Record<string, number> = {};
  const acknowledged: number[] = [];
  let retryable = 0;
  const bodies = bodiesFor(order);
  const sockets = await Promise.all(Array.from({ length: order.connections }, () => open(order.port)));
  const start = performance.now();
  const until = start + order.seconds * 1000;
  const interval = order.requestsPerSecond === undefined ? 0 : 1000 / order.requestsPerSecond;
  let due = start;
  await Promise.all(
    sockets.map(async (socket, connection) => {
      const body = bodies[connection] ?? requestBody(order.encoding, order.perRequest, connection, order.seed);
      const head = headOf(order.encoding, body.bytes.length);
      for (;;) {
        const at = interval === 0 ? performance.now() : due;
        due += interval;
        if (at >= until) break;
        if (at > performance.now()) await sleep(at - performance.now());
        const own = number++;
        body.renew(own);
        const { status, asksToRetry } = await exchange(socket, head, body.bytes);
        answers[status] = (answers[status] ?? 0) + 1;
        if (status === '200') acknowledged.push(own);
        if (asksToRetry) retryable += 1;
        latencies.push(performance.now() - at);
      }
      socket.destroy();
    }),
  );
  const elapsed = (performance.now() - start) / 1000;
  latencies.sort((a, b) => a - b);
  const share = (part: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0;
  return {
    hopsPerSecond: ((answers['200'] ?? 0) * order.perRequest) / elapsed,
    requests: latencies.length,
    answers,
    acknowledged,
    retryable,
    p50Ms: share(0.5),
    p99Ms: share(0.99),
  };
}

const DIFFERENT_BODIES = 16;

/** One for each connection, made before the clock starts. */
function bodiesFor({ encoding, perRequest, connections, seed }: Order): RequestBody[] {
  const made = Array.from({ length: Math.min(connections, DIFFERENT_BODIES) }, (_, i) =>
    requestBody(encoding, perRequest, i, seed),
  );
  return Array.from({ length: connections }, (_, i) => made[i % made.length]?.copy() ?? requestBody(encoding, 1, i));
}

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket)).once('error', reject);
  });

const headOf = (encoding: Encoding, length: number): string =>
  `POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/${encoding === 'json' ? 'json' : 'x-protobuf'}\r\ncontent-length: ${length}\r\n\r\n`;

/** One request and its whole answer. */
function exchange(socket: Socket, head: string, body: Buffer): Promise<{ status: string; asksToRetry: boolean }> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const onData = (bytes: Buffer) => {
      answer += bytes.toString('latin1');
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
      if (answer.length < end + 4 + length) return;
      done();
      const status = answer.slice(9, 12);
      resolve({
        status,
        asksToRetry: (status === '429' || status === '503') && /\r\nretry-after: \d+\r\n/i.test(answer),
      });
    };
    const onEnd = () => {
      done();
      reject(new Error('sender: the server closed the connection'));
    };
    const done = () => socket.off('data', onData).off('close', onEnd);
    socket.on('data', onData).once('close', onEnd);
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
  });
}
