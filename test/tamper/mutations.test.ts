import { test } from 'node:test';
import { publishedLog } from './log.ts';
import { mutateRounds } from './rounds.ts';

/** A longer run: npm run test:tamper -- --rounds 10000 */
const whole = (name: string, otherwise: number): number => {
  const number = Number(process.env[name] ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new TypeError(`${name}: expected a whole number above 0`);
  return number;
};
const size = whole('BEHALF_TAMPER_ENTRIES', 1500);
const rounds = whole('BEHALF_TAMPER_ROUNDS', 60);
const seed = whole('BEHALF_TAMPER_SEED', 1 + Math.floor(Math.random() * 2 ** 31));

test(`${rounds} random mutations of a log of ${size} entries are all found, and the first bad index named`, async (t) => {
  const { log, ledger } = await publishedLog(t, size);
  t.diagnostic(`seed ${seed}`);
  const started = performance.now();
  const onRound = (round: number) => {
    if (round % 250 === 0)
      process.stderr.write(`${round} found, ${Math.round((performance.now() - started) / round)} ms each\n`);
  };
  await mutateRounds({ log, verifierKey: ledger.verifierKey, size, rounds, seed, onRound });
});
