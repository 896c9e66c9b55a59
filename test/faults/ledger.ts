/*
 * Breaks a ledger under load, round after round, and counts what was lost or stored twice: `npm run test:faults --
 * --rounds 200 --seed 7`. Ends with status 1 unless both are nothing and fsck finds nothing.
 */
import { parseArgs } from 'node:util';
import { type Round, type Run, runRounds } from './ledger/rounds.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 32);

const lineOf = ({ round, fault, entries, lost, duplicated, refused, recoveredMs, difference }: Round): string =>
  [
    String(round).padStart(4),
    fault.padEnd(48),
    `${entries} entries, ${lost} lost, ${duplicated} duplicated, ${refused} refused, served again after ${recoveredMs.toFixed(0)} ms`,
    ...(difference === undefined ? [] : [`fsck: ${difference}`]),
  ].join('  ');

function summary({ rounds, filledDisk }: Run): string {
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  return [
    `${rounds.length} rounds (seed ${seed}): ${sum((round) => round.lost)} lost, ${sum((round) => round.duplicated)} duplicated, ${sum((round) => round.refused)} refused and sent again`,
    ...(filledDisk ? [] : ['the disk was never full: no small one could be mounted']),
    '',
  ].join('\n');
}

const isSound = ({ lost, duplicated, difference }: Round) => lost + duplicated === 0 && difference === undefined;
const run = await runRounds({
  rounds: Number(values.rounds),
  seed,
  onRound: (round) => process.stdout.write(values.json ? `${JSON.stringify(round)}\n` : `${lineOf(round)}\n`),
});
if (!values.json) process.stdout.write(summary(run));
process.exitCode = run.rounds.every(isSound) ? 0 : 1;
