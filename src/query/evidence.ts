import { type Disclosure, formatEvidence, formatPolicy, policyOfLog } from '@behalf/verify';
import { type Entry, ObservationError, parseEntry, partiesIn, type SealedPerson } from '#observation';
import type { QueryContext } from './context.ts';
import { QueryProblem } from './problem.ts';

/** Gives away the keys of mentions: `sealed` -> the key that opens that value and no other. */
export interface PersonDiscloser {
  disclose(persons: readonly SealedPerson[]): Promise<ReadonlyMap<string, Uint8Array>>;
}

/** Whose names a bundle discloses: nobody's, everybody's, or those of some references. */
export type Disclose = 'none' | 'all' | ReadonlySet<string>;

/** Most entries in one bundle. */
export const MAX_EVIDENCE_ENTRIES = 10_000;

/**
 * The evidence bundle of some entries, for someone who trusts nobody here: checked offline by @behalf/verify. Throws
 * QueryProblem `not_published` until one checkpoint covers them all.
 */
export async function evidenceOf(
  indexes: readonly bigint[],
  disclose: Disclose,
  { log, persons, verifierKey, policy = formatPolicy(policyOfLog(verifierKey)) }: QueryContext,
): Promise<string> {
  if (indexes.length > MAX_EVIDENCE_ENTRIES) throw tooMany(indexes.length);
  const rising = indexes.toSorted((a, b) => (a < b ? -1 : 1));
  const proven = await log.proveTogether(rising);
  if (proven === undefined) throw notYet();
  const bodies: Uint8Array[] = [];
  for (const index of rising) bodies.push((await log.entry(index)) ?? missing(index));
  const texts = bodies.map((bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  const sealed = bodies.flatMap(personsIn).filter(({ ref }) => mayDisclose(disclose, ref));
  return formatEvidence({
    checkpoint: proven.checkpoint,
    entries: rising.map((index, i) => ({ index, entry: texts[i] ?? '', proof: proven.proofs[i] ?? [] })),
    disclosures: sealed.length === 0 ? [] : disclosuresOf(await persons.disclose(sealed)),
    policy,
  });
}

/** `none`, `all`, or references separated by commas. Throws QueryProblem `invalid_parameter`. */
export function parseDisclose(text = 'none'): Disclose {
  if (text === 'none' || text === 'all') return text;
  const refs = text.split(',');
  if (refs.every((ref) => /^p_[0-9a-f]{32}$/.test(ref))) return new Set(refs);
  throw new QueryProblem('invalid_parameter', 'disclose: expected none, all, or references p_… separated by commas');
}

const mayDisclose = (disclose: Disclose, ref: string): boolean =>
  disclose === 'all' || (disclose !== 'none' && disclose.has(ref));

const disclosuresOf = (keys: ReadonlyMap<string, Uint8Array>): Disclosure[] =>
  [...keys].map(([sealed, key]) => ({ sealed, key })).toSorted((a, b) => (a.sealed < b.sealed ? -1 : 1));

function personsIn(bytes: Uint8Array): SealedPerson[] {
  const entry = readable(bytes);
  return entry === undefined ? [] : partiesIn(entry).filter((party): party is SealedPerson => 'ref' in party);
}

/** Whatever the log holds is evidence; of what is no entry of ours nothing can be disclosed. */
function readable(bytes: Uint8Array): Entry | undefined {
  try {
    return parseEntry(bytes);
  } catch (error) {
    if (error instanceof ObservationError) return undefined;
    throw error;
  }
}

const notYet = (): QueryProblem =>
  new QueryProblem(
    'not_published',
    'not all of these entries are under a signed checkpoint yet; try again in a second',
    {
      retryAfterSeconds: 1,
    },
  );

const tooMany = (count: number): QueryProblem =>
  new QueryProblem('too_large', `a bundle holds at most ${MAX_EVIDENCE_ENTRIES} entries, this one would hold ${count}`);

function missing(index: bigint): never {
  throw new QueryProblem('entry_not_found', `entry ${index} is missing; the operator has to run behalf fsck`);
}
