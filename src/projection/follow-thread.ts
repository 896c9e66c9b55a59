// The thread that thread.ts starts: a follower with connections of its own, until it is told to close.
import { parentPort, workerData } from 'node:worker_threads';
import { connectDatabase } from '#database';
import { startProjection } from './follow.ts';
import type { Order, Says, ThreadData } from './thread.ts';

const port = parentPort;
if (port === null) throw new TypeError('follow-thread: started by startProjectionThread only');

const { url, logId, thresholds } = workerData as ThreadData;
const say = (says: Says): void => port.postMessage(says);
const database = connectDatabase({ url, poolSize: 2 });
const follower = startProjection({
  database,
  logId,
  ...(thresholds === undefined ? {} : { thresholds }),
  onAlarm: (error) => say({ kind: 'alarm', error }),
  onState: (state) => say({ kind: 'state', ...state }),
});

port.on('message', async ({ kind }: Order) => {
  if (kind === 'look') return follower.look();
  await follower.close();
  await database.close();
  port.close();
});
