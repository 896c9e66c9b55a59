import { randomBytes } from 'node:crypto';
import { formatEntryBundle, leafHash, parseEntryBundle, type portableSha256 } from '@behalf/verify';
import { GrowingTree } from '../../../src/verify/growing-tree.ts';

export interface MemoryRun {
  readonly entryBytes: number;
  readonly entriesPerSecond: number; // by the clock
  readonly entriesPerCpuSecond: number; // by the time this thread had a processor
}

/** One thread: takes bundles apart, hashes every entry, compares with the tile, grows the tree. */
export function hashInMemory(entryBytes: number, seconds: number): MemoryRun {
  const bundle = formatEntryBundle(Array.from({ length: 256 }, () => new Uint8Array(randomBytes(entryBytes))));
  const tile = leavesOf(bundle);
  run(bundle, tile, 0.3); // warm
  const [cpu, started] = [process.cpuUsage(), performance.now()];
  const entries = run(bundle, tile, seconds);
  const { user, system } = process.cpuUsage(cpu);
  return {
    entryBytes,
    entriesPerSecond: Math.round(entries / ((performance.now() - started) / 1000)),
    entriesPerCpuSecond: Math.round(entries / ((user + system) / 1e6)),
  };
}

function run(bundle: Uint8Array, tile: Uint8Array, seconds: number): number {
  const tree = new GrowingTree();
  const until = performance.now() + seconds * 1000;
  let entries = 0;
  for (; performance.now() < until; entries += 256) {
    const leaves = leavesOf(bundle);
    if (leaves.some((byte, i) => byte !== tile[i])) throw new Error('a leaf differs');
    tree.add(leaves);
  }
  return entries;
}

function leavesOf(bundle: Uint8Array): Uint8Array {
  const leaves = new Uint8Array(256 * 32);
  for (const [i, entry] of parseEntryBundle(bundle).entries()) leaves.set(leafHash(entry), i * 32);
  return leaves;
}

/** The hash that browsers use, alone: how many 600-byte leaves a second. */
export function portableRate(sha256: typeof portableSha256, seconds: number): number {
  const entry = new Uint8Array(randomBytes(601));
  const until = performance.now() + seconds * 1000;
  let count = 0;
  for (; performance.now() < until; count += 100) for (let i = 0; i < 100; i += 1) sha256(entry);
  return Math.round(count / seconds);
}
