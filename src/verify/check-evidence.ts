import type { Certificate } from './certificate.ts';
import { type AcceptedCheckpoint, checkPolicy } from './check-policy.ts';
import { type CheckedTimestamp, checkTimestamp } from './check-timestamp.ts';
import { openDisclosure } from './disclosure.ts';
import { type Evidence, type EvidenceEntry, parseEvidence } from './evidence.ts';
import { checkInclusion } from './inclusion-proof.ts';
import type { Policy } from './policy.ts';
import { parseTimestampToken } from './timestamp-token.ts';
import { leafHash } from './tree-hash.ts';
import { VerificationError } from './verification-error.ts';

/** What a bundle establishes, once checked. */
export interface CheckedEvidence extends AcceptedCheckpoint {
  readonly note: string;
  readonly entries: readonly { readonly index: bigint; readonly entry: string }[];
  readonly disclosed: readonly Disclosed[];
  readonly timestamp: EvidenceTimestamp;
}

/** Whether an authority says when the checkpoint existed; `unchecked` when the caller named none to check the token by. */
export type EvidenceTimestamp =
  | { readonly kind: 'none' }
  | { readonly kind: 'unchecked'; readonly time: bigint } // POSIX seconds, as the token says
  | ({ readonly kind: 'checked' } & CheckedTimestamp);

export interface Disclosed {
  readonly sealed: string;
  readonly text: string;
  readonly index: bigint; // of the first entry that holds it
}

/**
 * Checks a bundle offline under a policy from a source the caller trusts (the bundle's own is not looked at): checkpoint,
 * cosignatures, every entry's inclusion, every disclosure, and the timestamp where authorities are named: then there must be
 * one. Throws VerificationError as parseEvidence, checkPolicy, checkInclusion, openDisclosure and checkTimestamp do, and
 * `disclosure` for a sealed value that stands in no entry of the bundle.
 */
export async function checkEvidence(given: {
  readonly evidence: string;
  readonly policy: Policy;
  readonly authorities?: readonly Certificate[];
}): Promise<CheckedEvidence> {
  const evidence = parseEvidence(given.evidence);
  const accepted = await checkPolicy(evidence.checkpoint, given.policy);
  const { origin, size, root } = accepted.checkpoint;
  const utf8 = new TextEncoder();
  for (const { index, entry, proof } of evidence.entries) {
    checkInclusion({ index, size, leaf: leafHash(utf8.encode(entry)), proof, root });
  }
  const disclosed = await openAll(evidence, origin);
  const entries = evidence.entries.map(({ index, entry }) => ({ index, entry }));
  const timestamp = await timestampOf(evidence, given.authorities);
  return { ...accepted, note: evidence.checkpoint, entries, disclosed, timestamp };
}

async function timestampOf(
  { timestamp: token, checkpoint }: Evidence,
  authorities: readonly Certificate[] | undefined,
): Promise<EvidenceTimestamp> {
  if (authorities === undefined) {
    return token === undefined ? { kind: 'none' } : { kind: 'unchecked', time: parseTimestampToken(token).time };
  }
  if (token === undefined) throw new VerificationError('timestamp', 'timestamp: the bundle carries none');
  const stamped = new TextEncoder().encode(checkpoint);
  return { kind: 'checked', ...(await checkTimestamp({ token, stamped, authorities })) };
}

async function openAll({ entries, disclosures }: Evidence, origin: string): Promise<Disclosed[]> {
  if (disclosures.length === 0) return [];
  const standsIn = sealedValuesOf(entries);
  const disclosed: Disclosed[] = [];
  for (const disclosure of disclosures) {
    const { sealed } = disclosure;
    const index = standsIn.get(sealed);
    if (index === undefined) {
      throw new VerificationError('disclosure', 'disclosure: the sealed value stands in no entry of the bundle');
    }
    disclosed.push({ sealed, index, text: await openDisclosure(disclosure, origin) });
  }
  return disclosed;
}

/** Each sealed value, and the first entry that holds it. */
function sealedValuesOf(entries: readonly EvidenceEntry[]): ReadonlyMap<string, bigint> {
  const found = new Map<string, bigint>();
  for (const { index, entry } of entries) {
    for (const sealed of sealedIn(parsedOrNothing(entry))) if (!found.has(sealed)) found.set(sealed, index);
  }
  return found;
}

function* sealedIn(root: unknown): Generator<string> {
  const waiting = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, member] of Object.entries(value)) {
      if (name === 'sealed' && typeof member === 'string') yield member;
      else waiting.push(member);
    }
  }
}

/** An entry that is no JSON is proven as bytes all the same; it discloses nothing. */
function parsedOrNothing(entry: string): unknown {
  try {
    return JSON.parse(entry);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
