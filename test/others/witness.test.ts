import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPolicy, formatAddCheckpoint, type Policy, parsePolicy } from '@behalf/verify';
import { policyForOthers } from '#ledger';
import { hashLeaf } from '../../src/ledger/hash.ts';
import { hops } from '../ledger/observations.ts';
import { forged, publishedLog, signWithStolenKey } from '../tamper/log.ts';
import { subproofOf, treeHash } from '../verify/reference-log.ts';
import { litewitness, withoutLitewitness } from './litewitness.ts';

test('litewitness cosigns our log as it grows, and refuses each of our forks', {
  skip: withoutLitewitness,
}, async (t) => {
  const { log, ledger } = await publishedLog(t, 300);
  const { verifierKey, origin } = ledger;
  await ledger.close();
  const witness = await litewitness(t, verifierKey);
  const policy: Policy = { logs: [], witnesses: [{ name: 'lite', ...witness }], groups: [], quorum: 'lite' };
  const strangers = parsePolicy(policyForOthers(verifierKey, policy));
  const witnessed = await log.open({ witnesses: { policy, required: true } });
  for (const count of [1, 300]) {
    await witnessed.append(hops(count));
    await witnessed.publish();
    const { note = '' } = (await log.reader.checkpoint()) ?? {};
    const { cosigned } = await checkPolicy(note, strangers);
    assert.deepEqual([cosigned.length, cosigned[0]?.witness], [1, 'lite']);
    assert.ok(Math.abs(Number(cosigned[0]?.time) - Date.now() / 1000) < 60);
  }
  await witnessed.close();

  const honest = (await log.reader.entries(0n, 1000)).map(({ bytes }) => bytes);
  assert.equal(honest.length, 601);
  const offer = async (oldSize: number, entries: readonly Uint8Array[], proofFrom = oldSize): Promise<number> => {
    const leaves = entries.map((bytes) => Buffer.from(hashLeaf(bytes)));
    const root = new Uint8Array(treeHash(leaves));
    const checkpoint = await signWithStolenKey(log, { origin, size: BigInt(entries.length), root });
    const proof = proofFrom === 0 || proofFrom > leaves.length ? [] : subproofOf(leaves, proofFrom);
    const body = formatAddCheckpoint({
      oldSize: BigInt(oldSize),
      proof: proof.map((hash) => new Uint8Array(hash)),
      checkpoint,
    });
    const answer = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
    if (answer.status !== 200) await assert.rejects(checkPolicy(checkpoint, strangers), { code: 'quorum' });
    return answer.status;
  };
  const edited = honest.map((bytes, i) => (i === 7 ? forged(bytes) : bytes));
  const more = honest.slice(0, 20);
  assert.equal(await offer(601, edited), 422, 'the same size with another root');
  assert.equal(
    await offer(601, [...edited, ...more]),
    422,
    'a rewritten past that grew, with the proof of its own tree',
  );
  assert.equal(await offer(601, honest.slice(0, 550)), 400, 'a tail cut off');
  assert.equal(await offer(550, honest.slice(0, 550)), 409, 'a tail cut off, said to be what it knew');
  assert.equal(await offer(0, edited), 409, 'as if it had seen nothing');
  assert.equal(await offer(601, [...honest, ...more]), 200, 'and still cosigns what truly grew');
});
