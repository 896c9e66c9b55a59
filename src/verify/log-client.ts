import { VerificationError } from './verification-error.ts';

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: { readonly signal: AbortSignal }) => Promise<Response>;

export interface LogClientOptions {
  readonly url: string; // the log's address, with or without a final slash
  readonly fetch: Fetch;
  readonly timeoutMs: number; // per attempt
  readonly signal: AbortSignal;
}

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 250;
const MAX_PROBLEM_BYTES = 4096;

type Answer =
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'passing'; readonly why: string; readonly cause?: unknown };

/** Reads a log's resources over HTTP; nothing it returns is trusted. */
export class LogClient {
  readonly #options: LogClientOptions;
  readonly #base: string;

  constructor(options: LogClientOptions) {
    this.#options = options;
    this.#base = options.url.endsWith('/') ? options.url : `${options.url}/`;
  }

  /**
   * The resource's bytes, undefined when the log does not have it. Network failures, 429 and 5xx are tried three times.
   * Throws VerificationError `unavailable`, or `too_large` for more than maxBytes, of which no more is read.
   */
  async get(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const url = new URL(path, this.#base).href;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#attempt(url, maxBytes);
      if (answer.kind === 'body') return answer.bytes;
      if (answer.kind === 'missing') return undefined;
      if (attempt === ATTEMPTS || this.#options.signal.aborted) {
        throw new VerificationError('unavailable', answer.why, { cause: answer.cause });
      }
      await new Promise((resume) => setTimeout(resume, FIRST_PAUSE_MS * 2 ** (attempt - 1)));
    }
  }

  async #attempt(url: string, maxBytes: number): Promise<Answer> {
    const { timeoutMs, fetch } = this.#options;
    const { signal, release } = within(this.#options);
    try {
      const response = await fetch(url, { signal });
      if (response.status === 200) return { kind: 'body', bytes: await readBody(response, url, maxBytes) };
      return judgeStatus(
        response.status,
        `${url}: expected status 200, got ${response.status}${await wordsOf(response)}`,
      );
    } catch (cause) {
      if (cause instanceof VerificationError) throw cause;
      return { kind: 'passing', why: `${url}: no answer within ${timeoutMs} ms, or a broken one`, cause };
    } finally {
      release();
    }
  }
}

/**
 * Aborts after the time or with the outer signal, until released. AbortSignal.timeout would keep every request of the last
 * `timeoutMs` in memory, thousands of them.
 */
function within({ signal: outer, timeoutMs }: LogClientOptions): { signal: AbortSignal; release(): void } {
  const inner = new AbortController();
  const stop = () => inner.abort(outer.reason);
  const timer = setTimeout(() => inner.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  outer.addEventListener('abort', stop);
  if (outer.aborted) stop();
  const release = () => {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  };
  return { signal: inner.signal, release };
}

function judgeStatus(status: number, why: string): Answer {
  if (status === 404 || status === 410) return { kind: 'missing' };
  if (status === 429 || status >= 500) return { kind: 'passing', why };
  throw new VerificationError('unavailable', why);
}

/** What the log itself says of a failure (RFC 9457), in quotes: its word, and no more than that. */
async function wordsOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) {
    await response.body?.cancel();
    return '';
  }
  try {
    const { detail } = JSON.parse(new TextDecoder().decode(await readBody(response, response.url, MAX_PROBLEM_BYTES)));
    return typeof detail === 'string' ? `; the log says "${detail.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)}"` : '';
  } catch {
    return ''; // it says nothing that can be read; the status is told all the same
  }
}

async function readBody(response: Response, url: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (const reader = response.body?.getReader(); reader !== undefined; ) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new VerificationError('too_large', `${url}: expected at most ${maxBytes} bytes, got more`);
    }
    chunks.push(value);
  }
  return concat(chunks, length);
}

function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
