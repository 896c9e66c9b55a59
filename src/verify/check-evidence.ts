import { type AcceptedCheckpoint, checkPolicy } from './check-policy.ts';
import { openDisclosure } from './disclosure.ts';
import { type Evidence, type EvidenceEntry, parseEvidence } from './evidence.ts';
import { checkInclusion } from './inclusion-proof.ts';
import type { Policy } from './policy.ts';
import { leafHash } from './tree-hash.ts';
import { VerificationError } from './verification-error.ts';

/** What a bundle establishes, once checked. */
export interface CheckedEvidence extends AcceptedCheckpoint {
  readonly note: string;
  readonly entries: readonly { readonly index: bigint; readonly entry: string }[];
  readonly disclosed: readonly Disclosed[];
}

export interface Disclosed {
  readonly sealed: string;
  readonly text: string;
  readonly index: bigint; // of the first entry that holds it
}

/**
 * Checks a bundle offline under a policy from a source the caller trusts (the bundle's own is not looked at): checkpoint,
 * cosignatures, every entry's inclusion, every disclosure. Throws VerificationError as parseEvidence, checkPolicy,
 * checkInclusion and openDisclosure do, and `disclosure` for a sealed value that stands in no entry of the bundle.
 */
export async function checkEvidence(given: {
  readonly evidence: string;
  readonly policy: Policy;
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
  return { ...accepted, note: evidence.checkpoint, entries, disclosed };
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
