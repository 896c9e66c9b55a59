import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProjection } from '#projection';
import { testLog } from '../ledger/harness.ts';
import { hops } from '../ledger/observations.ts';
import { mutateRounds } from './rounds.ts';

/** A longer run: npm run test:tamper -- --mutations 10000 --seed 7 */
const whole = (name: string, otherwise: number): number => {
  const number = Number(process.env[name] ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new TypeError(`${name}: expected a whole number above 0`);
  return number;
};
const size = whole('BEHALF_TAMPER_ENTRIES', 1500);
const rounds = whole('BEHALF_TAMPER_ROUNDS', 400);
const seed = whole('BEHALF_TAMPER_SEED', 1 + Math.floor(Math.random() * 2 ** 31));
/** Batches of these sizes, so that rows begin and end everywhere. */
const BATCHES = [1, 255, 40, 7, 300, 2, 256, 99, 512];

test(`${rounds} random mutations of a log of ${size} entries are all found, and the first bad index named`, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const log = await testLog(t);
  const ledger = await log.open({ onAlarm: assert.ifError });
  for (let [done, batch] = [0, 0]; done < size; batch += 1) {
    const count = Math.min(size - done, BATCHES[batch % BATCHES.length] ?? 1);
    await ledger.append(hops(count));
    if (batch % 3 === 0) await ledger.publish();
    done += count;
  }
  await ledger.publish();
  await ledger.close();
  const { database } = log;
  const projection = startProjection({ database, logId: 1, onAlarm: assert.ifError });
  await projection.caughtUp(BigInt(size));
  await projection.close();
  const started = performance.now();
  const onRound = (round: number) => {
    if (round % 250 === 0)
      process.stderr.write(`${round} found, ${Math.round((performance.now() - started) / round)} ms each\n`);
  };
  await mutateRounds({ log, verifierKey: ledger.verifierKey, size, rounds, seed, onRound });
});
