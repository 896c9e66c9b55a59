import type { Batch } from './backlog.ts';
import { encodeRequest } from './otlp-record.ts';
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

/** Taken at load, so that a host's instrumentation of fetch does not see the sender. */
const plainFetch = globalThis.fetch;

/**
 * Sends log records to a collector by OTLP/HTTP in protobuf. Unlike the stock exporter it reads no environment variable,
 * so that the headers and keys meant for the host's telemetry vendor never reach Behalf, and it tells how many records
 * the collector rejected. Never rejects.
 */
export function otlpLogExport(o: {
  url: string;
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
}): LogExport {
  const headers = { ...o.headers, 'content-type': 'application/x-protobuf' };
  return async ({ resource, records }) => {
    const body = encodeRequest(resource, records);
    try {
      const response = await quietly(() =>
        plainFetch(o.url, {
          method: 'POST',
          headers,
          body,
          redirect: 'error',
          signal: AbortSignal.timeout(o.timeoutMs),
        }),
      );
      return await read(response);
    } catch (error) {
      return { kind: 'retry', says: reasonOf(error) };
    }
  };
}

async function read(response: Response): Promise<Exported> {
  const bytes = await bodyOf(response);
  if (response.ok) return accepted(bytes);
  const says = `the collector answered ${response.status}`;
  if (!RETRYABLE.has(response.status)) return { kind: 'refused', says };
  const afterMs = retryAfterMs(response.headers.get('retry-after'));
  return { kind: 'retry', says, ...(afterMs !== undefined && { afterMs }) };
}

function accepted(bytes: Uint8Array): Exported {
  const { rejected, says } = parseExportResponse(bytes);
  return { kind: 'accepted', rejected, ...(says !== '' && { says }) };
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_RESPONSE_BYTES) throw new Error('the collector answered more than 4 MiB');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Retry-After in seconds or as a date (RFC 9110 section 10.2.3). */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : undefined;
}

/** fetch hides the socket's error in `cause`. Neither holds a header or a body. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? `${cause.name}: ${cause.message}`.slice(0, 200) : 'unknown failure';
}
