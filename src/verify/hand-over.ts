import { parseDecimal } from './decimal.ts';
import { formatNote, type NoteSignature, parseNote } from './note.ts';
import { openNote } from './signature.ts';
import { malformed, VerificationError } from './verification-error.ts';
import { parseVerifierKey } from './verifier-key.ts';

/** A log's key gives the log to another key. The origin stays: it is the name of both. */
export interface HandOver {
  readonly origin: string;
  readonly from: string; // verifier key
  readonly to: string; // verifier key
  /** Until when the old key may sign beside the new one, for those who have not learned of this; POSIX seconds. */
  readonly until: bigint;
}

/** No origin holds a space: a hand-over is never taken for a checkpoint, nor a checkpoint for a hand-over. */
const FIRST_LINE = 'behalf log key hand-over v1';

/** The text that both keys sign. Throws VerificationError `malformed`. */
export function formatHandOver({ origin, from, to, until }: HandOver): string {
  if (from === to) malformed('hand-over: expected another key, got the same one');
  for (const verifierKey of [from, to]) {
    const { name, type } = parseVerifierKey(verifierKey);
    if (name !== origin || type !== 'ed25519')
      malformed(`hand-over: expected log keys of ${origin}, got one of ${name}`);
  }
  if (until < 0n || until >= 2n ** 63n) malformed(`hand-over: expected POSIX seconds, got ${until}`);
  return `${FIRST_LINE}\n${origin}\n${from}\n${to}\n${until}\n`;
}

/** Reads that text; throws VerificationError `malformed` on anything formatHandOver would not write. */
export function parseHandOver(text: string): HandOver {
  const [first, origin = '', from = '', to = '', until = '', ...rest] = text.split('\n');
  if (first !== FIRST_LINE || rest.length !== 1) malformed(`hand-over: expected five lines, the first "${FIRST_LINE}"`);
  const parsed = { origin, from, to, until: parseDecimal(until, 'hand-over until') };
  if (formatHandOver(parsed) !== text) malformed('hand-over: expected the form its log writes');
  return parsed;
}

/** The hand-over as a note, with the signatures of both keys, the old one's first. Throws VerificationError `malformed`. */
export const formatHandOverNote = (handOver: HandOver, signatures: readonly [NoteSignature, NoteSignature]): string =>
  formatNote({ text: formatHandOver(handOver), signatures });

/**
 * Reads a hand-over note and checks both signatures: the old key's, which gives the log away, and the new key's, which
 * shows that somebody holds it. Throws VerificationError `malformed`, `unsigned` or `bad_signature`.
 */
export async function openHandOver(note: string): Promise<HandOver> {
  const handOver = parseHandOver(parseNote(note).text);
  await openNote(note, parseVerifierKey(handOver.from));
  await openNote(note, parseVerifierKey(handOver.to));
  return handOver;
}

/**
 * The keys of a log, one after the other, for whoever trusts the first: each hand-over must be signed by the key before it.
 * Hand-overs before the trusted key are passed over. Throws VerificationError as openHandOver does, and `unsigned` where
 * the chain breaks off.
 */
export async function followHandOvers(
  trusted: string,
  notes: readonly string[],
): Promise<readonly [string, ...string[]]> {
  const keys: [string, ...string[]] = [trusted];
  const handOvers = notes.map((note) => ({ note, handOver: parseHandOver(parseNote(note).text) }));
  const start = handOvers.findIndex(({ handOver }) => handOver.from === trusted);
  for (const { note, handOver } of start < 0 ? [] : handOvers.slice(start)) {
    if (handOver.from !== keys.at(-1)) {
      throw new VerificationError('unsigned', 'hand-over: given by a key that the log was not handed to');
    }
    await openHandOver(note);
    keys.push(handOver.to);
  }
  return keys;
}
