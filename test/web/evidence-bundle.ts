import { randomBytes } from 'node:crypto';
import { type Evidence, formatEvidence, formatPolicy, type Policy, policyOfLog } from '@behalf/verify';
import { encodeEntry } from '#observation';
import { delegatedCall } from '../chains/entries.ts';
import { cosigner } from '../verify/cosigner.ts';
import { pathOf, referenceLog } from '../verify/reference-log.ts';
import { sealWith } from '../verify/sealed.ts';

const ORIGIN = 'ledger.example/evidence';

/** A delegated call as a bundle, its one person's names sealed in earnest and disclosed. */
export interface Bundle {
  readonly evidence: Evidence;
  readonly policy: Policy;
  readonly text: string;
}

/** `other` are entries beside the chain's own, as text. */
export function delegatedEvidence(other: readonly string[] = []): Bundle {
  const keys = new Map<string, Uint8Array>();
  const seal = (name: string, value: unknown): unknown => {
    if (name !== 'sealed') return value;
    const key = new Uint8Array(randomBytes(32));
    const sealed = sealWith(key, ORIGIN, 'dana@example.com');
    keys.set(sealed, key);
    return sealed;
  };
  const own = delegatedCall().all.map(({ entry }) => encodeEntry(JSON.parse(JSON.stringify(entry, seal))));
  const entries = [...own.map((bytes) => Buffer.from(bytes)), ...other.map((text) => Buffer.from(text))];
  const log = referenceLog(entries, ORIGIN);
  const witness = cosigner('witness.example/auditor');
  const policy: Policy = {
    ...policyOfLog(log.verifierKey),
    witnesses: [{ name: 'auditor', verifierKey: witness.verifierKey }],
    quorum: 'auditor',
  };
  const evidence: Evidence = {
    checkpoint: witness.cosign(log.note),
    entries: entries.map((entry, i) => ({
      index: BigInt(i),
      entry: entry.toString(),
      proof: pathOf(log.leaves, i).map((hash) => new Uint8Array(hash)),
    })),
    disclosures: [...keys].map(([sealed, key]) => ({ sealed, key })).toSorted((a, b) => (a.sealed < b.sealed ? -1 : 1)),
    policy: formatPolicy(policy),
  };
  return { evidence, policy, text: formatEvidence(evidence) };
}
