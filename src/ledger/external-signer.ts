import { type ChildProcess, spawn } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { LedgerError } from './errors.ts';
import type { NoteKey } from './signing-key.ts';

/**
 * A key that is kept elsewhere, behind a command or an address. Either is given the exact text to sign (UTF-8; for a
 * checkpoint three lines, the last one ended) and answers its Ed25519 signature, 64 bytes in base64, and nothing else:
 * the command on its output with exit status 0, the address with status 200 to a POST of text/plain. It should look at
 * the first line, which names the log.
 */
export type ExternalSigner =
  | { readonly kind: 'command'; readonly command: string } // for the shell
  | { readonly kind: 'url'; readonly url: string; readonly token?: string }; // https, or http on loopback; bearer token

export interface ExternalKeyOptions {
  readonly signer: ExternalSigner;
  readonly publicKey: Uint8Array; // 32 bytes: what the answer must verify with
  readonly timeoutMs?: number; // 10 000 unless told
}

/** RFC 8410: an SPKI Ed25519 public key is this prefix and its 32 bytes. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const MAX_ANSWER_BYTES = 4096;
const SIGNATURE = /^[A-Za-z0-9+/]{86}==\n?$/;

/** Asks a signer elsewhere, and takes from it only what verifies with the key that is known. */
export class ExternalKey implements NoteKey {
  readonly publicKey: Uint8Array;
  readonly #o: ExternalKeyOptions;

  constructor(options: ExternalKeyOptions) {
    this.#o = options;
    this.publicKey = options.publicKey;
  }

  /** Throws LedgerError `unsigned`: no answer in time, one that is no signature, or one that does not verify. */
  async sign(text: string): Promise<Uint8Array> {
    const { signer, timeoutMs = 10_000 } = this.#o;
    const answer = signer.kind === 'command' ? await run(signer, text, timeoutMs) : await post(signer, text, timeoutMs);
    if (!SIGNATURE.test(answer)) {
      throw unsigned(signer, 'answered something other than 64 bytes in base64; see what it must answer');
    }
    const signature = Buffer.from(answer, 'base64');
    if (verify(null, Buffer.from(text), spki(this.publicKey), signature)) return signature;
    throw unsigned(signer, 'answered a signature that does not verify with the log’s key; give it the log’s own key');
  }
}

const spki = (publicKey: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });

/** Its errors go where the server's go. What has not ended in time is killed, with all that it started. */
async function run(signer: ExternalSigner & { kind: 'command' }, text: string, timeoutMs: number): Promise<string> {
  const child = spawn(signer.command, { shell: true, detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const timer = setTimeout(() => killGroup(child), timeoutMs);
  child.stdin?.on('error', () => undefined); // one that ends without reading is judged by its status
  child.stdin?.end(text);
  try {
    const ended = once(child, 'close');
    const answer = await readAll(child);
    const [status] = await ended;
    if (status === 0) return answer;
    throw unsigned(signer, child.killed ? `gave no answer within ${timeoutMs} ms` : `ended with ${whyEnded(child)}`);
  } catch (cause) {
    throw asUnsigned(signer, cause, 'could not be run');
  } finally {
    clearTimeout(timer);
    killGroup(child);
  }
}

async function readAll(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout ?? []) {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length > MAX_ANSWER_BYTES) throw new RangeError('too long');
  }
  return Buffer.concat(chunks).toString('latin1');
}

const whyEnded = ({ exitCode, signalCode }: ChildProcess): string =>
  signalCode === null ? `status ${exitCode}` : `signal ${signalCode}`;

/** The whole group: a shell's own children would go on and hold the pipe. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
    child.kill('SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error; // it has ended already
  }
}

async function post(signer: ExternalSigner & { kind: 'url' }, text: string, timeoutMs: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const authorization = signer.token === undefined ? {} : { authorization: `Bearer ${signer.token}` };
  try {
    const response = await fetch(signer.url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8', ...authorization },
      body: text,
      redirect: 'error',
      signal,
    });
    if (response.status !== 200) throw unsigned(signer, `answered ${response.status}`);
    return await readBody(response);
  } catch (cause) {
    throw asUnsigned(signer, cause, signal.aborted ? `gave no answer within ${timeoutMs} ms` : 'gave no answer');
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length > MAX_ANSWER_BYTES) throw new RangeError('too long');
  }
  return Buffer.concat(chunks).toString('latin1');
}

function asUnsigned(signer: ExternalSigner, cause: unknown, otherwise: string): LedgerError {
  if (cause instanceof LedgerError) return cause;
  const says = cause instanceof RangeError ? `answered more than ${MAX_ANSWER_BYTES} bytes` : otherwise;
  return unsigned(signer, says, cause);
}

/** Neither the command nor the address is repeated: they may hold secrets. */
function unsigned({ kind }: ExternalSigner, says: string, cause?: unknown): LedgerError {
  const what = kind === 'command' ? 'the signer command' : 'the signer address';
  return new LedgerError('unsigned', `${what} ${says}; nothing was signed; it is asked again`, { cause });
}
