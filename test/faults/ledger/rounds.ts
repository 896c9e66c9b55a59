import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cuttingProxy } from '../../ledger/cutting-proxy.ts';
import { FAULTS } from './faults.ts';
import { type Judgement, judge } from './judge.ts';
import { Load } from './load.ts';
import { startVictim, type Victim } from './postgres.ts';
import { Server } from './server.ts';

export interface Round extends Judgement {
  readonly round: number;
  readonly fault: string;
  readonly acknowledged: number;
  /** Calls of this round that were not acknowledged at first and were sent again. */
  readonly refused: number;
  /** From the fault's end until every sender was served again. */
  readonly recoveredMs: number;
}
export interface RoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly onRound: (round: Round) => void;
}
export interface Run {
  readonly rounds: readonly Round[];
  readonly filledDisk: boolean;
}

/** A log grows for this many rounds, then another begins: judging reads all of it. */
const ROUNDS_OF_A_LOG = 20;
const SENDERS = [1, 1, 7, 40];
const RECOVERY_LIMIT_MS = 60_000;

/** Every fault once in random order, then again in another order, under load; after each the log is judged. */
export async function runRounds({ rounds, seed, onRound }: RoundsOptions): Promise<Run> {
  const random = randomOf(seed);
  const victim = await startVictim();
  const told: Round[] = [];
  try {
    const order = orderOf(rounds, random);
    for (let first = 0; first < rounds; first += ROUNDS_OF_A_LOG) {
      const faults = order.slice(first, first + ROUNDS_OF_A_LOG);
      await runOnLog({ victim, logId: 1 + first / ROUNDS_OF_A_LOG, random }, faults, (round) => {
        told.push({ ...round, round: told.length + 1 });
        onRound({ ...round, round: told.length });
      });
    }
    return { rounds: told, filledDisk: victim.hasOwnDisk };
  } finally {
    await victim.close();
  }
}

interface On {
  readonly victim: Victim;
  readonly logId: number;
  readonly random: (below: number) => number;
}

async function runOnLog(
  { victim, logId, random }: On,
  faults: readonly string[],
  onRound: (round: Omit<Round, 'round'>) => void,
): Promise<void> {
  const ends: (() => unknown)[] = [];
  const keyFolder = await mkdtemp(join(tmpdir(), 'behalf-faults-keys-'));
  const broken: string[] = [];
  const proxy = await cuttingProxy({ after: (end) => void ends.push(end as () => unknown) }, victim.url);
  const start = () => new Server({ url: proxy.url, keyFolder, logId }, (says) => broken.push(says));
  const servers = [start(), start()];
  await Promise.all(servers.map((server) => server.opened));
  const load = new Load(() => servers, SENDERS);
  const replace = async (at: number) => {
    await servers[at]?.kill();
    servers[at] = start();
  };
  try {
    for (const fault of faults) {
      await sleep(100 + random(300));
      const refused = load.refused;
      await FAULTS[fault]?.({ victim, proxy, servers, replace, random });
      const recoveredMs = await untilServed(load, broken);
      const judgement = await judge(victim.database, logId, load.acknowledged);
      const lost = judgement.lost + load.moved;
      onRound({
        ...judgement,
        lost,
        fault,
        acknowledged: load.acknowledged.size,
        refused: load.refused - refused,
        recoveredMs,
      });
    }
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
    await load.stop();
    for (const end of ends) await end();
    await rm(keyFolder, { recursive: true, force: true });
  }
}

/** Every sender was served since: as many again as all of them send at once, twice. */
async function untilServed(load: Load, broken: readonly string[]): Promise<number> {
  const begun = performance.now();
  const enough = load.acknowledged.size + 2 * SENDERS.reduce((sum, size) => sum + size, 0);
  while (load.acknowledged.size < enough) {
    if (broken.length > 0) throw new Error(broken.join('; '));
    if (performance.now() - begun > RECOVERY_LIMIT_MS) throw new Error('no server took anything for a minute');
    await sleep(10);
  }
  return performance.now() - begun;
}

function orderOf(rounds: number, random: (below: number) => number): string[] {
  const order: string[] = [];
  while (order.length < rounds) {
    const rest = Object.keys(FAULTS);
    while (rest.length > 0) order.push(...rest.splice(random(rest.length), 1));
  }
  return order.slice(0, rounds);
}

/** Mulberry32: the same seed gives the same faults; when each hits is up to the machine. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
