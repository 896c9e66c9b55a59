import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainAnswer } from '#query';
import { chain } from '../../src/cli/chain.ts';
import { parseArguments, type Terminal } from '../../src/cli/command.ts';
import { delegatedCall, traceOf } from '../chains/entries.ts';
import { observationsOf, testApi } from '../query/api.ts';

test('chain --as-of prints what was known at a tree size, and says so where nothing was', async (t) => {
  const { app, take } = await testApi(t);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  await take(observationsOf(delegatedCall().all));
  const said: string[] = [];
  const told: string[] = [];
  const terminal: Terminal = {
    ...{ out: (text: string) => said.push(text), err: (text: string) => told.push(text) },
    ...{ color: false, environment: {} },
  };
  const run = (...argv: string[]) => chain.run(parseArguments(chain, [...argv, '--url', url]), terminal);
  const trace = traceOf([1, 1]).traceId;
  assert.equal(await run(trace, '--as-of', '3', '--json'), 0);
  const { chain: then, log } = JSON.parse(said.at(-1) ?? '') as ChainAnswer;
  assert.deepEqual(then.entries, ['0', '1', '2']);
  assert.equal(log.treeSize, '3');
  assert.equal(await run(trace, '--as-of', '0'), 1);
  assert.match(told.at(-1) ?? '', /no chain has the id .* at that time/);
});
