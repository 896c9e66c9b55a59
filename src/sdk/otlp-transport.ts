import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import type { Batch } from './backlog.ts';
import { encodeRequestHead } from './otlp-record.ts';
import { parseExportResponse } from './otlp-response.ts';
import { quietly } from './quiet.ts';

/** What became of one export. `retry`: nothing is known stored; `refused`: the collector will never take it. */
export type Exported =
  | { readonly kind: 'accepted'; readonly rejected: number; readonly says?: string }
  | { readonly kind: 'retry'; readonly afterMs?: number; readonly says: string }
  | { readonly kind: 'refused'; readonly says: string };

export type LogExport = (batch: Batch) => Promise<Exported>;

/** The only statuses a sender may retry (OTLP specification, OTLP/HTTP response). */
const RETRYABLE = new Set([429, 502, 503, 504]);
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/**
 * Sends log records to a collector by OTLP/HTTP in protobuf, over one connection that does not keep the process alive.
 * Unlike the stock exporter it reads no environment variable, so that the headers and keys meant for the host's telemetry
 * vendor never reach Behalf, and it tells how many records the collector rejected. By node:http: a fetch copies each body
 * and costs the host several times as much. A redirect is not followed, and tried again later. Never rejects.
 */
export function otlpLogExport(o: {
  url: string;
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
}): LogExport {
  const url = new URL(o.url);
  const isTls = url.protocol === 'https:';
  const begin = isTls ? httpsRequest : httpRequest;
  const agent = new (isTls ? TlsAgent : Agent)({ keepAlive: true, maxSockets: 1 });
  const headers = { ...o.headers, 'content-type': 'application/x-protobuf' };
  return async ({ resource, pieces }) => {
    const size = sizeOf(pieces);
    const head = encodeRequestHead(resource, size);
    try {
      const request = quietly(() =>
        begin(url, {
          method: 'POST',
          agent,
          headers: { ...headers, 'content-length': head.length + size },
          signal: AbortSignal.timeout(o.timeoutMs),
        }),
      );
      request.once('socket', (socket) => socket.unref());
      const answered = answerTo(request);
      request.write(head);
      for (const piece of pieces) request.write(piece);
      request.end();
      return await read(await answered);
    } catch (error) {
      return { kind: 'retry', says: reasonOf(error) };
    }
  };
}

function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve).on('error', reject);
  return promise;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  let size = 0;
  for (const piece of pieces) size += piece.length;
  return size;
}

async function read(response: IncomingMessage): Promise<Exported> {
  const bytes = await bodyOf(response);
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) return accepted(bytes);
  const says = `the collector answered ${statusCode}`;
  const isRedirect = statusCode >= 300 && statusCode < 400;
  if (!isRedirect && !RETRYABLE.has(statusCode)) return { kind: 'refused', says };
  const afterMs = retryAfterMs(response.headers['retry-after']);
  return { kind: 'retry', says, ...(afterMs !== undefined && { afterMs }) };
}

function accepted(bytes: Uint8Array): Exported {
  const { rejected, says } = parseExportResponse(bytes);
  return { kind: 'accepted', rejected, ...(says !== '' && { says }) };
}

async function bodyOf(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_RESPONSE_BYTES) throw new Error('the collector answered more than 4 MiB');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Retry-After in seconds or as a date (RFC 9110 section 10.2.3). */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : undefined;
}

/** Node hides the socket's error in `cause` at times. Neither holds a header or a body. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? `${cause.name}: ${cause.message}`.slice(0, 200) : 'unknown failure';
}
