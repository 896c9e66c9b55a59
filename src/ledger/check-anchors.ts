import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, openCheckpoint, rightEdge, VerificationError } from '@behalf/verify';
import type { Database } from '#database';
import { anchorFolder } from './anchor.ts';
import { checkHandOvers, type KeyHistory, keyAt } from './check-hand-overs.ts';
import { type Difference, DifferenceFound, differs } from './difference.ts';
import { edgeFromTiles, rootOfEdge } from './edge.ts';
import { sameBytes } from './hash.ts';
import type { StoredLog } from './recompute.ts';
import { snapshot } from './snapshot.ts';
import { type LogRow, selectLog } from './sql/log.ts';
import { selectTiles } from './sql/tile.ts';

export interface AnchorsOptions {
  readonly database: Database;
  readonly logId: number;
  /** Where a server kept checkpoints aside. */
  readonly folder: string;
  /** A key of the log from a source that is trusted; the one the database names unless given. */
  readonly verifierKey?: string;
}

export interface AnchorsReport {
  /** True when there were checkpoints, each of them is the log's own, and the log grew out of each. */
  readonly ok: boolean;
  readonly checkpoints: bigint;
  readonly firstDifference?: Difference;
}

/**
 * Compares the checkpoints that were kept aside with the log as it is now: whoever rewrote the database and signed it anew
 * could not rewrite them. It rests on the tiles, so fsck comes first. Rejects only when folder or database cannot be read.
 */
export async function checkAnchors({ database, logId, folder, verifierKey }: AnchorsOptions): Promise<AnchorsReport> {
  let checkpoints = 0n;
  return snapshot(database, async (db) => {
    try {
      const log = await selectLog(db, logId);
      if (log === undefined) differs({ kind: 'log', says: `log ${logId} is not in the database` });
      const stored = { db, logId, size: log.size };
      const keys = await checkHandOvers(stored, log, verifierKey);
      const paths = await anchoredOf(folder, log);
      if (paths.length === 0) differ(`there is no checkpoint of ${log.origin} in ${folder}: nothing was compared`);
      for (const path of paths) {
        await checkAnchor(stored, await openAnchor(path, keys), path);
        checkpoints += 1n;
      }
      return { ok: true, checkpoints };
    } catch (error) {
      if (error instanceof DifferenceFound) return { ok: false, checkpoints, firstDifference: error.difference };
      throw error;
    }
  });
}

/** Its files, smallest tree first. */
async function anchoredOf(folder: string, { origin }: LogRow): Promise<string[]> {
  const own = anchorFolder(folder, origin);
  const names = await readdir(own).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => /^\d{20}\.checkpoint$/.test(name))
    .toSorted()
    .map((name) => join(own, name));
}

async function openAnchor(path: string, keys: KeyHistory): Promise<Checkpoint> {
  const size = BigInt(path.slice(-'00000000000000000000.checkpoint'.length, -'.checkpoint'.length));
  try {
    const checkpoint = await openCheckpoint(await readFile(path, 'utf8'), keyAt(keys, size));
    if (checkpoint.size === size) return checkpoint;
    return differ(`${path}: it is of size ${checkpoint.size}`);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return differ(`${path}: ${error.message}`);
  }
}

/** The root that today's tiles give for the anchored size: tiles only grow, and fsck recomputed them from the entries. */
async function checkAnchor({ db, logId, size }: StoredLog, anchored: Checkpoint, path: string): Promise<void> {
  if (anchored.size > size) {
    differ(`${path}: the log went back: a tree of ${anchored.size} entries was kept aside, the database holds ${size}`);
  }
  if (anchored.size === 0n) return;
  const edge = edgeFromTiles(anchored.size, await selectTiles(db, logId, rightEdge(anchored.size)));
  if (sameBytes(rootOfEdge(edge), anchored.root)) return;
  differ(
    `${path}: the log was rewritten: its first ${anchored.size} entries do not hash to the root that was kept aside; keep both, and ask who holds an older copy`,
  );
}

function differ(says: string): never {
  differs({ kind: 'anchor', says });
}
