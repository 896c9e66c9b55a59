/*
 * A server to be killed and paused: sequences what it is sent over the channel to its parent and answers when it is
 * acknowledged, never before. It publishes all the while.
 */
import { connectDatabase } from '#database';
import { LedgerError, openLedger } from '#ledger';
import { hops } from '../../ledger/observations.ts';
import type { Answer, Asked } from './server.ts';

const [url = '', keyFolder = '', logId = ''] = process.argv.slice(2);
const database = connectDatabase({ url, poolSize: 4 });
const tell = (answer: Answer): void => void process.send?.(answer);

/** Trouble that passes is expected here; any other ends the process, which its parent takes for a failure. */
const onAlarm = (error: unknown): void => {
  if (!(error instanceof LedgerError && error.retryable)) throw error;
};

async function open() {
  for (;;) {
    try {
      return await openLedger({ database, keyFolder, logId: Number(logId), publishIntervalMs: 100, onAlarm });
    } catch (error) {
      onAlarm(error);
    }
  }
}

const ledger = await open();

process.on('message', async ({ call, ids }: Asked) => {
  try {
    const sent = hops(ids.length).map((hop, i) => ({ ...hop, id: ids[i] ?? '' }));
    const answers = await ledger.append(sent);
    tell({
      call,
      kind: 'acknowledged',
      indexes: answers.map((each) => (each.kind === 'sequenced' ? Number(each.leafIndex) : -1)),
    });
  } catch (error) {
    onAlarm(error);
    tell({ call, kind: 'refused' });
  }
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); // the parent is gone
tell({ call: -1, kind: 'refused' });
