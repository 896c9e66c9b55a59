import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Chain, DEFAULT_THRESHOLDS } from '#chains';
import { checkProjection, reindex, startProjection, thresholdsWith } from '#projection';
import { delegatedCall } from '../chains/entries.ts';
import { testLog } from '../ledger/harness.ts';
import { observationsOf } from '../query/api.ts';
import { dump, storedChains } from './tables.ts';

const STRICT = { mostActors: 1 };

test('equal thresholds have one version, whoever names them; others have another', () => {
  assert.equal(thresholdsWith({}), DEFAULT_THRESHOLDS);
  assert.equal(thresholdsWith({ mostActors: DEFAULT_THRESHOLDS.mostActors }), DEFAULT_THRESHOLDS);
  const { version } = thresholdsWith(STRICT);
  assert.match(version, /^t-[0-9a-f]{16}$/);
  assert.equal(thresholdsWith({ ...STRICT, dormantDays: DEFAULT_THRESHOLDS.dormantDays }).version, version);
  assert.notEqual(thresholdsWith({ mostActors: 2 }).version, version);
});

test('a log is judged by its own thresholds, and every finding says by which', async (t) => {
  const { database, follow, rules } = await followed(t);
  await follow(STRICT);
  const chains = (await storedChains(database)) as Chain[];
  assert.ok((await rules()).includes('too_deep'));
  const versions = new Set(chains.flatMap(({ findings }) => findings.map(({ thresholds }) => thresholds)));
  assert.deepEqual([...versions], [thresholdsWith(STRICT).version]);
});

test('changed thresholds wait for a reindex, of which the operator is told; then all is judged anew and fsck agrees', async (t) => {
  const { database, follow, rules } = await followed(t);
  assert.deepEqual(await follow(), []);
  const before = await dump(database);
  const told = await follow(STRICT);
  assert.match(told.join(), /judged by default-2, the given ones are t-[0-9a-f]{16}.*behalf reindex/);
  assert.deepEqual(await dump(database), before);
  await reindex({ database, logId: 1, thresholds: STRICT });
  assert.ok((await rules()).includes('too_deep'));
  assert.deepEqual(await follow(STRICT), []);
  assert.deepEqual(await follow(), [], 'who names none takes the log’s');
  assert.equal((await checkProjection({ database, logId: 1 })).ok, true);
  await reindex({ database, logId: 1 });
  assert.ok((await rules()).includes('too_deep'), 'a reindex without thresholds keeps them');
  await reindex({ database, logId: 1, thresholds: {} });
  assert.deepEqual(await dump(database), before);
});

/** A log of one delegation, followed by projections one after the other. */
async function followed(t: Parameters<typeof testLog>[0]) {
  const log = await testLog(t);
  const ledger = await log.open();
  await ledger.append(observationsOf(delegatedCall().all));
  const { database } = log;
  const follow = async (thresholds?: typeof STRICT): Promise<readonly string[]> => {
    const told: string[] = [];
    const onAlarm = (error: Error) => told.push(error.message);
    const given = thresholds === undefined ? {} : { thresholds };
    const projection = startProjection({ database, logId: 1, onAlarm, ...given });
    await projection.caughtUp(11n);
    await projection.close();
    return told;
  };
  const rules = async () =>
    ((await storedChains(database)) as Chain[]).flatMap(({ findings }) => findings.map(({ rule }) => rule));
  return { database, follow, rules };
}
