import { type Database, transaction } from '#database';
import { openLogReader } from '#ledger/read';
import { BATCH } from './follow.ts';
import { Memory } from './memory.ts';
import { deleteProjection, lockPosition, selectPosition } from './sql/position.ts';
import { takeIn } from './step.ts';
import { setThresholds, type ThresholdChanges } from './thresholds.ts';

export interface ReindexOptions {
  readonly database: Database;
  readonly logId: number;
  /** What chains are judged by from now on, all of them; as before when left out. */
  readonly thresholds?: ThresholdChanges;
  readonly onProgress?: (position: bigint, size: bigint) => void;
}

/**
 * Forgets a log's projection and builds it again from the entries: the same rows, byte for byte, unless thresholds are given. Queries meanwhile answer
 * from what is built so far and say up to which tree size. A crash leaves a projection that a follower completes.
 */
export async function reindex({ database, logId, thresholds, onProgress }: ReindexOptions): Promise<bigint> {
  const log = openLogReader({ database, logId });
  await transaction(database.pool('projector'), async (client) => {
    await lockPosition(client, logId);
    await deleteProjection(client, logId);
    if (thresholds !== undefined) await setThresholds(client, logId, thresholds);
  });
  const { size } = await log.log();
  const memory = new Memory();
  for (let position = 0n; position < size; ) {
    const entries = await log.entries(position, BATCH);
    if (entries.length === 0)
      throw new Error(`reindex: the log says ${size} entries and holds none from ${position} on; run behalf fsck`);
    await takeIn(database, logId, entries, memory);
    position = (await selectPosition(database.pool('projector'), logId)) ?? 0n;
    onProgress?.(position, size);
  }
  return size;
}
