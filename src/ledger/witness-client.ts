import {
  formatAddCheckpoint,
  type NoteSignature,
  openNote,
  type PolicyWitness,
  parseVerifierKey,
  VerificationError,
} from '@behalf/verify';
import type { Signed } from './signer.ts';

/** The part of `fetch` that is used. */
export type Post = (
  url: string,
  init: { readonly method: 'POST'; readonly body: string; readonly redirect: 'error'; readonly signal: AbortSignal },
) => Promise<Response>;

/** The consistency proof from a size a witness knows to the checkpoint at hand; empty from 0 and from its own size. */
export type ProveFrom = (size: bigint) => Promise<readonly Uint8Array[]>;

export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly signatures: readonly NoteSignature[] }
  /** It did not answer, or not in time, or not now. */
  | { readonly kind: 'unavailable'; readonly says: string }
  /** It has cosigned a larger tree: another server of this log was faster, or this log was set back. */
  | { readonly kind: 'ahead'; readonly size: bigint }
  /** It will not cosign this: another history, another key, or not the protocol. */
  | { readonly kind: 'refused'; readonly says: string };

type Heard = WitnessAnswer | { readonly kind: 'knows'; readonly size: bigint };

const MAX_ANSWER_BYTES = 65_536;
const SIZE_TYPE = 'text/x.tlog.size';

/** Asks one witness for cosignatures (C2SP tlog-witness v1.0.0). It remembers which size that witness cosigned last. */
export class WitnessClient {
  readonly #witness: PolicyWitness & { readonly url: string };
  readonly #post: Post;
  readonly #timeoutMs: number;
  #size = 0n;

  constructor(
    witness: PolicyWitness & { readonly url: string },
    o: { readonly post: Post; readonly timeoutMs: number },
  ) {
    this.#witness = witness;
    this.#post = o.post;
    this.#timeoutMs = o.timeoutMs;
  }

  get name(): string {
    return this.#witness.name;
  }

  /** Never throws for what the witness does; what `prove` throws is thrown. At most two requests, together in time. */
  async cosign(signed: Signed, prove: ProveFrom): Promise<WitnessAnswer> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const first = await this.#ask(signed, prove, signal);
    if (first.kind !== 'knows') return first;
    if (first.size > signed.checkpoint.size) return { kind: 'ahead', size: first.size };
    this.#size = first.size;
    const second = await this.#ask(signed, prove, signal);
    if (second.kind !== 'knows') return second;
    return { kind: 'unavailable', says: `it names another size each time it is asked, now ${second.size}` };
  }

  async #ask({ note, checkpoint }: Signed, prove: ProveFrom, signal: AbortSignal): Promise<Heard> {
    const oldSize = this.#size <= checkpoint.size ? this.#size : 0n;
    const body = formatAddCheckpoint({ oldSize, proof: await prove(oldSize), checkpoint: note });
    const heard = await this.#exchange(body, signal);
    if (heard.kind !== 'answer') return heard;
    const judged = await this.#judge(heard, note);
    if (judged.kind === 'cosigned') this.#size = checkpoint.size;
    return judged;
  }

  async #exchange(body: string, signal: AbortSignal): Promise<Extract<Heard, { kind: 'unavailable' }> | Exchanged> {
    const url = `${this.#witness.url.replace(/\/$/, '')}/add-checkpoint`;
    try {
      const response = await this.#post(url, { method: 'POST', body, redirect: 'error', signal });
      const type = response.headers.get('content-type') ?? '';
      return { kind: 'answer', status: response.status, type, text: await readText(response) };
    } catch (cause) {
      const why = signal.aborted ? `no answer within ${this.#timeoutMs} ms` : `no answer: ${String(cause)}`;
      return { kind: 'unavailable', says: why };
    }
  }

  async #judge({ status, type, text }: Exchanged, note: string): Promise<Heard> {
    if (status === 200) return this.#open(note, text);
    if (status === 409 && type.split(';')[0]?.trim() === SIZE_TYPE) return sizeIn(text);
    const says = `it answered ${status}: ${JSON.stringify(text.slice(0, 200))}`;
    return { kind: status === 429 || status >= 500 ? 'unavailable' : 'refused', says };
  }

  /** Only this witness's own signatures on this very checkpoint are taken from its answer. */
  async #open(note: string, lines: string): Promise<WitnessAnswer> {
    const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
    try {
      const { verified } = await openNote(`${text}\n${lines}`, parseVerifierKey(this.#witness.verifierKey));
      return { kind: 'cosigned', signatures: verified };
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      return { kind: 'refused', says: `its answer is no cosignature of this checkpoint: ${error.message}` };
    }
  }
}

interface Exchanged {
  readonly kind: 'answer';
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function sizeIn(text: string): Heard {
  const [, size] = /^(0|[1-9][0-9]{0,18})\n$/.exec(text) ?? [];
  if (size === undefined) return { kind: 'refused', says: 'it answered 409 without the size it knows' };
  return { kind: 'knows', size: BigInt(size) };
}

/** At most 64 KiB; more is not read. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new RangeError(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
