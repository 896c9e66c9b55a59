import { randomBytes } from 'node:crypto';
import {
  formatTimestampQuery,
  MAX_TIMESTAMP_ANSWER_BYTES,
  parseTimestampAnswer,
  sha256,
  VerificationError,
} from '@behalf/verify';
import { UsageError } from './command.ts';

const TIMEOUT_MS = 30_000;

/**
 * Has a time-stamping authority stamp the bytes (RFC 3161 over HTTP, section 3.4): it learns their SHA-256 and nothing else. Returns
 * the token in DER. Throws UsageError for an address that is none, VerificationError `timestamp` when the authority refuses or
 * answers something else, `too_large`, `unavailable` or `malformed`.
 */
export async function requestTimestamp(
  address: string,
  bytes: Uint8Array,
  timeoutMs = TIMEOUT_MS,
): Promise<Uint8Array> {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--timestamp: expected the http address of an authority, got ${address.slice(0, 200)}`);
  }
  const query = { imprint: sha256(bytes), nonce: new Uint8Array(randomBytes(8)) };
  return parseTimestampAnswer(await ask(url, formatTimestampQuery(query), timeoutMs), query);
}

async function ask(url: URL, query: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
      body: new Uint8Array(query),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new VerificationError('unavailable', `${url.href}: expected status 200, got ${response.status}`);
    }
    return await bodyOf(response, url);
  } catch (cause) {
    if (cause instanceof VerificationError) throw cause;
    throw new VerificationError('unavailable', `${url.href}: no whole answer within ${timeoutMs} ms`, { cause });
  }
}

/** At most as much as an answer can be. */
async function bodyOf(response: Response, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_TIMESTAMP_ANSWER_BYTES) {
      throw new VerificationError('too_large', `${url.href}: expected at most ${MAX_TIMESTAMP_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
