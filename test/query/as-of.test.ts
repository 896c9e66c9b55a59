import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainAnswer } from '#query';
import { delegatedCall, digest, Entries, traceOf } from '../chains/entries.ts';
import { observationsOf, testApi } from './api.ts';

const TRACE = traceOf([1, 1]).traceId;

test('a chain as of every tree size is what it was when the log had that size, persons included', async (t) => {
  const { take, get, problem } = await testApi(t);
  const then: ChainAnswer[] = [];
  for (const each of observationsOf(delegatedCall().all)) {
    await take([each]);
    then.push(await get<ChainAnswer>(`/api/v1/chains/${TRACE}`));
  }
  for (const [i, { chain }] of then.entries()) {
    const answer = await get<ChainAnswer>(`/api/v1/chains/${TRACE}?asOf=${i + 1}`);
    assert.deepEqual(answer.chain, chain);
    assert.equal(answer.log.treeSize, String(i + 1));
    assert.deepEqual(
      (await get<ChainAnswer>(`/api/v1/chains/${chain.id}?asOf=${i + 1}`)).chain,
      chain,
      'by its name then',
    );
  }
  assert.equal((await problem(`/api/v1/chains/${TRACE}?asOf=0`)).is, '404 chain_not_found');
  const tooLarge = await problem(`/api/v1/chains/${TRACE}?asOf=12`);
  assert.equal(tooLarge.is, '400 invalid_parameter');
  assert.match(tooLarge.detail, /11 entries so far/);
});

test('a moment means the last checkpoint published by then', async (t) => {
  const { take, get, problem, database } = await testApi(t);
  const [first, ...rest] = observationsOf(delegatedCall().all);
  assert.ok(first !== undefined);
  await take([first]);
  await take(rest);
  const { rows } = await database.pool('reader').query<{ size: string; at: string }>(
    `select size::text, to_char(published_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
       from behalf.checkpoint where log_id = 1 order by size`,
  );
  for (const { size, at } of rows.filter((row) => row.size !== '0')) {
    const { log } = await get<ChainAnswer>(`/api/v1/chains/${TRACE}?asOf=${at}`);
    assert.equal(log.treeSize, size);
  }
  assert.equal((await get<ChainAnswer>(`/api/v1/chains/${TRACE}?asOf=99999999999999999999`)).log.treeSize, '11');
  const early = await problem(`/api/v1/chains/${TRACE}?asOf=1970-01-02T00:00:00Z`);
  assert.equal(early.is, '400 invalid_parameter');
  assert.match(early.detail, /no checkpoint was published by then/);
  assert.equal((await problem(`/api/v1/chains/${TRACE}?asOf=yesterday`)).is, '400 invalid_parameter');
});

test('what only later entries joined comes apart again, and a name that came later means all that became it', async (t) => {
  const { take, get, problem } = await testApi(t);
  const entries = new Entries();
  const older = entries.hop({ service: 'idp-side', at: [3, 1], digest: 'T', verified: false });
  entries.hop({ service: 'a', at: [1, 1], digest: 'T' });
  entries.hop({ service: 'b', at: [2, 1], digest: 'U' });
  entries.exchange({ at: [2, 2], tokenIn: digest('T'), tokenOut: digest('U') });
  const [late, ...early] = observationsOf(entries.all);
  await take(early.slice(0, 2));
  await take(early.slice(2));
  await take(late === undefined ? [] : [late]);
  const { chain } = await get<ChainAnswer>(`/api/v1/chains/${traceOf([1, 1]).traceId}`);
  assert.ok(chain.traceIds.length > 1, 'one chain now');
  const one = await get<ChainAnswer>(`/api/v1/chains/${traceOf([1, 1]).traceId}?asOf=2`);
  assert.deepEqual(one.chain.entries, ['0']);
  const several = await problem(`/api/v1/chains/${chain.id}?asOf=2`);
  if (chain.id.includes(older.entry.id.replaceAll('-', ''))) assert.equal(several.is, '409 several_chains');
  else assert.fail(`the oldest observation names the chain: ${chain.id}`);
});
