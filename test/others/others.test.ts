import assert from 'node:assert/strict';
import { createPublicKey, randomInt } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { parseTlogProof, parseVerifierKey, proveConsistency, tileHashReader } from '@behalf/verify';
import others from '@transmute/rfc9162';
import { hops } from '../ledger/observations.ts';
import { publishedLog } from '../tamper/log.ts';
import { flipped } from '../verify/reference-log.ts';

/*
 * Verifiers nobody here wrote, on a log of ours in PostgreSQL. They must accept what is sound and refuse what is not.
 * @sigstore/verify has no public name for these two checks; its files are loaded by their path.
 */
const { RFC9162: transmute } = others;
const require = createRequire(import.meta.url);
interface SigstoreProof {
  readonly logIndex: string;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: { readonly envelope: string };
}
interface SigstoreEntry {
  readonly canonicalizedBody: Buffer;
  readonly inclusionProof: SigstoreProof;
}
type SigstoreCheckpoint = { readonly origin: string; readonly logSize: bigint; readonly logHash: Buffer };
const { verifyCheckpoint } = require('@sigstore/verify/dist/tlog/checkpoint') as {
  verifyCheckpoint(entry: SigstoreEntry, logs: readonly object[]): SigstoreCheckpoint;
};
const { verifyMerkleInclusion } = require('@sigstore/verify/dist/tlog/merkle') as {
  verifyMerkleInclusion(entry: SigstoreEntry, checkpoint: SigstoreCheckpoint): void;
};

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A verifier key as sigstore knows a log. */
function sigstoreLog(verifierKey: string): object {
  const { name, keyId, publicKey } = parseVerifierKey(verifierKey);
  const logID = Buffer.alloc(32);
  logID.writeUInt32BE(keyId);
  const der = Buffer.concat([SPKI_PREFIX, publicKey]);
  return { logID, baseURL: name, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

test('sigstore’s verifier accepts our checkpoints and inclusion proofs, and refuses them changed', async (t) => {
  const { log, ledger } = await publishedLog(t, 700);
  const logs = [sigstoreLog(ledger.verifierKey)];
  for (const index of [0n, 255n, 256n, 511n, 512n, 698n, 699n]) {
    const { proof, checkpoint } = parseTlogProof((await log.reader.prove(index)) ?? assert.fail());
    const entry: SigstoreEntry = {
      canonicalizedBody: Buffer.from((await log.reader.entry(index)) ?? assert.fail()),
      inclusionProof: {
        logIndex: String(index),
        hashes: proof.map((hash) => Buffer.from(hash)),
        checkpoint: { envelope: checkpoint },
      },
    };
    const opened = verifyCheckpoint(entry, logs);
    assert.deepEqual([opened.origin, opened.logSize], [ledger.origin, 700n]);
    verifyMerkleInclusion(entry, opened);
    const at = randomInt(proof.length);
    const hashes = entry.inclusionProof.hashes.map((hash, i) => (i === at ? Buffer.from(flipped(hash, 9)) : hash));
    assert.throws(() =>
      verifyMerkleInclusion({ ...entry, inclusionProof: { ...entry.inclusionProof, hashes } }, opened),
    );
    assert.throws(() => verifyMerkleInclusion({ ...entry, canonicalizedBody: Buffer.from('forged') }, opened));
    const envelope = checkpoint.replace('\n700\n', '\n701\n');
    const resized = { ...entry, inclusionProof: { ...entry.inclusionProof, checkpoint: { envelope } } };
    assert.throws(() => verifyCheckpoint(resized, logs));
  }
});

test('Transmute’s RFC 9162 agrees on our roots and accepts our inclusion and consistency proofs, and refuses them changed', async (t) => {
  const { log, ledger } = await publishedLog(t, 300);
  const older = (await log.reader.checkpoint()) ?? assert.fail();
  await ledger.append(hops(77));
  await ledger.publish();
  const { size, root } = (await log.reader.checkpoint()) ?? assert.fail();
  const entries = (await log.reader.entries(0n, 1000)).map(({ bytes }) => new Uint8Array(bytes));
  assert.deepEqual(Buffer.from(await transmute.treeHead(entries)), Buffer.from(root));
  for (const index of [0, 127, 256, 299, 376]) {
    const { proof } = parseTlogProof((await log.reader.prove(BigInt(index))) ?? assert.fail());
    const path = { log_id: '', tree_size: Number(size), leaf_index: index, inclusion_path: [...proof] };
    const leaf = await transmute.leaf(entries[index] ?? assert.fail());
    assert.equal(await transmute.verifyInclusionProof(root, leaf, path), true);
    const changed = { ...path, inclusion_path: proof.map((hash, i) => (i === 3 ? flipped(hash, 5) : hash)) };
    assert.equal(await transmute.verifyInclusionProof(root, leaf, changed), false);
  }
  const readTile = async ({ level, index, width }: { level: number; index: bigint; width: number }) =>
    (await log.reader.tile(level, index, width)) ?? assert.fail();
  const read = tileHashReader({ size, root, readTile });
  const proof = await proveConsistency({ size1: older.size, size2: size, read });
  const path = { log_id: '', tree_size_1: Number(older.size), tree_size_2: Number(size), consistency_path: proof };
  assert.equal(await transmute.verifyConsistencyProof(older.root, root, path), true);
  const changed = { ...path, consistency_path: proof.map((hash, i) => (i === 1 ? flipped(hash, 5) : hash)) };
  assert.equal(await transmute.verifyConsistencyProof(older.root, root, changed), false);
});
