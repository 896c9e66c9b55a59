/** Why a check failed; the list is closed and pinned by a test. */
export const VERIFICATION_CODES = [
  'malformed', // bytes that are not exactly what the format's writer would have written
  'unsigned', // no signature by the key that was asked for
  'bad_signature', // a signature under that key's name and id that does not verify
  'wrong_origin', // signed by the key, but for another log
  'quorum', // signed, and cosigned by fewer witnesses than the policy asks for
  'inclusion', // the proof does not lead from the leaf to the root
  'consistency', // the newer tree does not contain the older one
  'entry_mismatch', // an entry's bytes do not hash to its leaf
  'tile_mismatch', // a tile does not hold the hashes of what lies below it
  'root_mismatch', // the tiles or entries do not hash to the checkpoint's root
  'disclosure', // a sealed value, or the key given for it, that does not belong to what is proven
  'timestamp', // a timestamp that stamps something else, or that no trusted authority signed
  'empty_log', // size 0: there was nothing to examine
  'unavailable', // the log did not answer, or answered with an error
  'too_large', // an answer longer than its format allows
] as const;

export type VerificationCode = (typeof VERIFICATION_CODES)[number];

/** A check that did not hold. `index` is the first leaf index concerned, where one is known. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
  readonly code: VerificationCode;
  readonly index: bigint | undefined;

  constructor(code: VerificationCode, message: string, about: { index?: bigint; cause?: unknown } = {}) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause });
    this.code = code;
    this.index = about.index;
  }
}

/** Throws `malformed`. */
export function malformed(message: string): never {
  throw new VerificationError('malformed', message);
}
