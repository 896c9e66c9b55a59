import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEvidence, openDisclosure, parseEvidence, policyOfLog } from '@behalf/verify';
import type { ChainAnswer, ChainsAnswer } from '#query';
import { delegatedCall } from '../chains/entries.ts';
import { observationsOf, testApi } from './api.ts';

/** One chain of several entries, each from a request of its own, and its id. */
async function oneChain(t: Parameters<typeof testApi>[0]) {
  const api = await testApi(t);
  for (const observation of observationsOf(delegatedCall().all)) await api.take([observation]);
  const [{ id } = assert.fail('no chain')] = (await api.get<ChainsAnswer>('/api/v1/chains')).chains;
  const { chain } = await api.get<ChainAnswer>(`/api/v1/chains/${id}`);
  const policy = policyOfLog(api.ledger.verifierKey);
  const bundle = async (path: string) => (await api.app.inject(path)).body;
  return { ...api, id, chain, policy, bundle };
}

test('the evidence of a chain proves exactly the entries it rests on, byte for byte, and names nobody', async (t) => {
  const { id, chain, policy, bundle, app } = await oneChain(t);
  const evidence = await bundle(`/api/v1/chains/${id}/evidence`);
  const checked = await checkEvidence({ evidence, policy });
  assert.deepEqual(
    checked.entries.map(({ index }) => String(index)),
    chain.entries.toSorted((a, b) => Number(a) - Number(b)),
  );
  for (const { index, entry } of checked.entries) assert.equal(entry, await bundle(`/api/v1/entries/${index}`));
  assert.deepEqual(checked.disclosed, []);
  assert.ok(typeof chain.subject?.id === 'string' && !evidence.includes(chain.subject.id));
  const { headers } = await app.inject(`/api/v1/chains/${id}/evidence`);
  assert.equal(headers['content-disposition'], `attachment; filename="${id}.evidence.json"`);
});

test('who may see a person can disclose that person’s mentions in the bundle, and nothing else', async (t) => {
  const { id, chain, policy, bundle, ledger } = await oneChain(t);
  const all = await checkEvidence({ evidence: await bundle(`/api/v1/chains/${id}/evidence?disclose=all`), policy });
  assert.ok(all.disclosed.length > 1);
  assert.ok(all.disclosed.some(({ text }) => text === chain.subject?.id));
  const ref = chain.subject?.key;
  const own = await bundle(`/api/v1/chains/${id}/evidence?disclose=${ref}`);
  const some = await checkEvidence({ evidence: own, policy });
  assert.deepEqual([...new Set(some.disclosed.map(({ text }) => text))], [chain.subject?.id]);
  const { disclosures } = parseEvidence(own);
  for (const { key } of disclosures) {
    for (const { sealed } of disclosures.filter((each) => each.key !== key)) {
      await assert.rejects(openDisclosure({ sealed, key }, ledger.origin), { code: 'disclosure' });
    }
  }
});

test('one entry has its evidence too', async (t) => {
  const { policy, bundle } = await oneChain(t);
  const { entries, checkpoint } = await checkEvidence({ evidence: await bundle('/api/v1/entries/2/evidence'), policy });
  assert.deepEqual([entries.length, entries[0]?.index, checkpoint.size], [1, 2n, 11n]);
});

test('what has no evidence is told as such', async (t) => {
  const { problem, id } = await oneChain(t);
  assert.equal((await problem('/api/v1/chains/c_00000000000000000000000000000000/evidence')).is, '404 chain_not_found');
  assert.equal((await problem(`/api/v1/chains/${id}/evidence?disclose=alice`)).is, '400 invalid_parameter');
  assert.equal((await problem(`/api/v1/chains/${id}/evidence?reveal=all`)).is, '400 unknown_parameter');
  assert.equal((await problem('/api/v1/entries/11/evidence')).is, '404 not_published');
});
