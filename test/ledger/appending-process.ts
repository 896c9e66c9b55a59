/*
 * A server under load, to be killed: appends without pause and publishes as often as it can. Tells on stdout the id and
 * index of each observation once it was acknowledged, never before.
 */
import { connectDatabase } from '#database';
import { openLedger } from '#ledger';
import { hops } from './observations.ts';

const [url = '', keyFolder = ''] = process.argv.slice(2);
const database = connectDatabase({ url, poolSize: 4 });
const ledger = await openLedger({
  database,
  keyFolder,
  publishIntervalMs: 1,
  onAlarm: (error) => {
    throw error;
  },
});

async function appendForEver(size: number): Promise<never> {
  for (;;) {
    const sent = hops(size);
    const answers = await ledger.append(sent);
    const lines = answers.map(
      (each, i) => `${sent[i]?.id} ${each.kind === 'sequenced' ? each.leafIndex : each.reason}\n`,
    );
    process.stdout.write(lines.join(''));
  }
}

await Promise.all([1, 1, 7, 40].map(appendForEver));
