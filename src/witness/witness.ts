import {
  type AddCheckpoint,
  type Checkpoint,
  checkConsistency,
  openCheckpoint,
  openCosignature,
  parseAddCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  VerificationError,
} from '@behalf/verify';
import { CosignedStore, type Stored } from './cosigned-store.ts';
import type { WitnessKey } from './witness-key.ts';

export interface WitnessOptions {
  readonly key: WitnessKey;
  /** The verifier keys of the logs it serves; a log may have several. */
  readonly logs: readonly string[];
  /** Where it keeps what it cosigned. Losing it lets a log show this witness another history: back it up, never restore. */
  readonly folder: string;
  /** POSIX seconds. */
  readonly now?: () => bigint;
}

/** What is answered to add-checkpoint, with its HTTP status. */
export type Answer =
  | { readonly status: 200; readonly signatures: string } // note signature lines
  | { readonly status: 409; readonly size: bigint } // of the checkpoint cosigned last
  | { readonly status: 400 | 403 | 404 | 422; readonly says: string };

interface Last {
  readonly stored: Stored | undefined;
  readonly checkpoint: Checkpoint | undefined;
  readonly time: bigint; // of the cosignature on it
}

/** Cosigns checkpoints that grew out of those it cosigned before (C2SP tlog-witness v1.0.0). */
export class Witness {
  readonly #o: WitnessOptions;
  readonly #store: CosignedStore;

  constructor(options: WitnessOptions) {
    this.#o = options;
    this.#store = new CosignedStore(options.folder);
  }

  get verifierKey(): string {
    return this.#o.key.verifierKey;
  }

  /** Judges one request. What it cosigns is on disk when this resolves. */
  async addCheckpoint(body: string): Promise<Answer> {
    const asked = parsed(body);
    if (asked instanceof VerificationError) return { status: 400, says: asked.message };
    const { origin, size } = parseCheckpoint(parseNote(asked.checkpoint).text);
    const keys = this.#o.logs.filter((key) => parseVerifierKey(key).name === origin);
    if (keys.length === 0) return { status: 404, says: `this witness does not know the log ${origin}` };
    const checkpoint = await openBy(keys, asked.checkpoint);
    if (checkpoint === undefined) return { status: 403, says: `no signature by a known key of ${origin} verifies` };
    if (asked.oldSize > size)
      return { status: 400, says: `old size ${asked.oldSize} is beyond the checkpoint's, ${size}` };
    return this.#follow(asked, checkpoint);
  }

  /** The last checkpoint cosigned of a log, with this witness's cosignature. */
  async last(origin: string): Promise<string | undefined> {
    return (await this.#store.last(origin))?.note;
  }

  get origins(): readonly string[] {
    return this.#o.logs.map((key) => parseVerifierKey(key).name);
  }

  async #follow(asked: AddCheckpoint, checkpoint: Checkpoint): Promise<Answer> {
    const { stored, checkpoint: last, time } = await this.#last(checkpoint.origin);
    const size = last?.size ?? 0n;
    if (asked.oldSize !== size) return { status: 409, size };
    const refusal = whyInconsistent(last, checkpoint, asked.proof);
    if (refusal !== undefined) return { status: 422, says: refusal };
    const now = this.#o.now?.() ?? BigInt(Math.floor(Date.now() / 1000));
    // A clock that went back must not make an older tree look newer.
    const note = this.#o.key.cosign(asked.checkpoint, now > time ? now : time);
    if (await this.#store.follow(stored, checkpoint.origin, note)) {
      return { status: 200, signatures: note.slice(note.lastIndexOf('\n\n') + 2) };
    }
    // Another request was first: its checkpoint is the one to follow now.
    return { status: 409, size: (await this.#last(checkpoint.origin)).checkpoint?.size ?? 0n };
  }

  /** Throws when what is on disk is not what this witness signed: it then cosigns nothing. */
  async #last(origin: string): Promise<Last> {
    const stored = await this.#store.last(origin);
    if (stored === undefined) return { stored, checkpoint: undefined, time: 0n };
    return { stored, ...(await openCosignature(stored.note, this.verifierKey)) };
  }
}

function parsed(body: string): AddCheckpoint | VerificationError {
  try {
    return parseAddCheckpoint(body);
  } catch (error) {
    if (error instanceof VerificationError) return error;
    throw error;
  }
}

/** The checkpoint when one of the keys signed it; a signature that does not verify counts as none. */
async function openBy(keys: readonly string[], note: string): Promise<Checkpoint | undefined> {
  for (const key of keys) {
    try {
      return await openCheckpoint(note, key);
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
    }
  }
  return undefined;
}

function whyInconsistent(
  last: Checkpoint | undefined,
  next: Checkpoint,
  proof: readonly Uint8Array[],
): string | undefined {
  if (last === undefined || last.size === 0n) {
    return proof.length === 0 ? undefined : 'expected an empty proof from size 0';
  }
  try {
    checkConsistency({ size1: last.size, size2: next.size, root1: last.root, root2: next.root, proof });
    return undefined;
  } catch (error) {
    if (error instanceof VerificationError) return error.message;
    throw error;
  }
}
