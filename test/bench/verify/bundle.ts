import { randomBytes } from 'node:crypto';
import { checkEvidence, formatEvidence, formatPolicy, policyOfLog } from '@behalf/verify';
import { cosigner } from '../../verify/cosigner.ts';
import { numberedEntries, pathOf, referenceLog } from '../../verify/reference-log.ts';

const log = referenceLog(numberedEntries(3000));
const witness = cosigner('witness.example/one');
const policy = {
  ...policyOfLog(log.verifierKey),
  witnesses: [{ name: 'one', verifierKey: witness.verifierKey }],
  quorum: 'one',
};
const evidence = (index: number, entry: string, proof: readonly Uint8Array[]): string =>
  formatEvidence({
    checkpoint: witness.cosign(log.note),
    entries: [{ index: BigInt(index), entry, proof }],
    disclosures: [],
    policy: formatPolicy(policy),
  });

/** What a bundle of one entry weighs beyond the entry at a billion entries: 30 hashes, one cosignature, the policy. */
export function bundleBytesAtABillion(): number {
  const proof = Array.from({ length: 30 }, () => new Uint8Array(randomBytes(32)));
  return Buffer.byteLength(evidence(999_999_999, '', proof));
}

/** A bundle of one entry and one witness, and the policy it holds under. */
export function benchBundle(): { readonly evidence: string; readonly policy: typeof policy } {
  const proof = pathOf(log.leaves, 7).map((hash) => new Uint8Array(hash));
  return { evidence: evidence(7, 'leaf 7', proof), policy };
}

/** The median time to check a bundle of one entry and one witness, in milliseconds, in Node. */
export async function bundleMilliseconds(): Promise<number> {
  const { evidence: file } = benchBundle();
  const times: number[] = [];
  for (let i = 0; i < 100; i += 1) {
    const started = performance.now();
    await checkEvidence({ evidence: file, policy });
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[50] ?? Number.NaN;
}
