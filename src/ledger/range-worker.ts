/*
 * A thread that recomputes ranges of a log on the snapshot of whoever started it, one after the other, until it is told
 * `undefined`.
 */
import { on } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { connectDatabase, transaction } from '#database';
import { checkRange, type Range } from './check-range.ts';
import { KnownIds } from './known-ids.ts';
import type { RangeThread } from './range-threads.ts';

const { url, logId, size, snapshot } = workerData as RangeThread;
const database = connectDatabase({ url, poolSize: 1 });
const known = new KnownIds();

await transaction(database.pool('reader'), async (db) => {
  await db.query('set transaction isolation level repeatable read, read only');
  await db.query(`set transaction snapshot '${snapshot}'`);
  for await (const [range] of on(parentPort ?? new EventTarget(), 'message')) {
    if (range === undefined) break;
    parentPort?.postMessage(await checkRange({ db, logId, size }, range as Range, known));
  }
});
await database.close();
