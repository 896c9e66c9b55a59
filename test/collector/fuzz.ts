/*
 * Mutated requests through everything behind the door: decoding, mapping, the schema. As a program:
 * `npm run test:fuzz -- --rounds 1000000 --seed 7`.
 */
import { parseArgs } from 'node:util';
import { Accounting, openReception } from '#collector';
import type { Ledger } from '#ledger';
import { checkEntry, isPersonal } from '#observation';
import { CONTENT_TYPE } from '../../src/collector/answer.ts';
import { RequestError } from '../../src/collector/request-error.ts';
import { sealEntry } from '../../src/ledger/seal-entry.ts';
import { mutated, numbersFrom } from './mutation.ts';
import { SEEDS } from './seeds.ts';

export interface Fuzzed {
  readonly taken: number;
  readonly refused: number;
  readonly observations: number;
  readonly slowestMs: number;
}

/**
 * Every request must be taken or refused with 400 or 413, within a second, and what is taken must fit the closed schema;
 * anything else is thrown, with the round and seed that show it again. `onRound` is called every thousand.
 */
export async function fuzz(rounds: number, seed: number, onRound = (_round: number): void => {}): Promise<Fuzzed> {
  const next = numbersFrom(seed);
  let observations = 0;
  const append: Ledger['append'] = async (given) => {
    for (const each of given) checkEntry(sealEntry(each, { party: asSealed, address: (address) => address }));
    observations += given.length;
    return given.map(() => ({ kind: 'sequenced', leafIndex: 0n, duplicate: false }));
  };
  const { intake } = openReception({ ledger: { append }, accounting: new Accounting(), idKey: new Uint8Array(32) });
  let [taken, slowestMs] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    const { signal, type, body } = SEEDS[next(SEEDS.length)] ?? SEEDS[0];
    const started = performance.now();
    try {
      await intake.take(signal, CONTENT_TYPE[type], mutated(body, next));
      taken += 1;
    } catch (error) {
      if (!(error instanceof RequestError) || ![400, 413].includes(error.status)) {
        throw new Error(`round ${round} of seed ${seed}: neither taken nor refused`, { cause: error });
      }
    }
    slowestMs = Math.max(slowestMs, performance.now() - started);
    if (slowestMs > 1000) throw new Error(`round ${round} of seed ${seed} took ${Math.round(slowestMs)} ms`);
    if (round % 1000 === 0) onRound(round);
  }
  return { taken, refused: rounds - taken, observations, slowestMs };
}

/** As the ledger writes a party, without its cryptography: the schema of entries is what is held here. */
const asSealed: Parameters<typeof sealEntry>[1]['party'] = ({ id, ...party }) =>
  isPersonal(party) ? { ...party, ref: `p_${'0'.repeat(32)}`, sealed: 'AAAA' } : { ...party, id };

/** The memory of spans fills up to its bound meanwhile. */
const MAX_GROWTH_MIB = 64;

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
    },
  });
  const rounds = Number(values.rounds);
  const { gc } = globalThis;
  if (gc === undefined)
    throw new Error('run it with node --expose-gc: growth is told from garbage only after a collection');
  const heap: number[] = [];
  const found = await fuzz(rounds, Number(values.seed), (round) => {
    if (round % 50_000 !== 0) return;
    gc();
    heap.push(Math.round(process.memoryUsage().heapUsed / 2 ** 20));
  });
  process.stdout.write(`${JSON.stringify({ seed: values.seed, rounds, ...found, heapMiB: heap })}\n`);
  const [, warm = 0] = heap;
  if (heap.length > 2 && Math.max(...heap.slice(2)) > warm + MAX_GROWTH_MIB) {
    throw new Error(`the heap grew from ${warm} MiB to ${Math.max(...heap.slice(2))} MiB`);
  }
}
