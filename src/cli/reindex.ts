import { connectDatabase, type Database, findPostgres, openDatabase } from '#database';
import { reindex as rebuild } from '#projection';
import { type Command, JSON_OPTION } from './command.ts';
import { progressLine } from './progress.ts';
import { type Settings, settingsFrom } from './settings.ts';
import { readThresholds } from './thresholds-file.ts';

/** `behalf reindex`: forgets what queries read and builds it again from the entries. The log itself is not touched. */
export const reindex: Command = {
  name: 'reindex',
  summary:
    'build chains, hops and findings again from the log, by BEHALF_THRESHOLDS; a running server answers meanwhile',
  options: JSON_OPTION,
  async run(given, terminal) {
    const settings = settingsFrom(terminal.environment);
    const { thresholdsFile } = settings;
    const judged = thresholdsFile === undefined ? {} : { thresholds: await readThresholds(thresholdsFile) };
    const database = await lookOn(settings, (says) => terminal.err(`${says}\n`));
    try {
      const progress = progressLine(terminal, 'entries taken in again');
      const entries = await rebuild({ database, logId: 1, onProgress: progress, ...judged });
      progress.end();
      const says = `rebuilt from ${entries} entries: the same log gives the same chains\n`;
      terminal.out(given.options.json === true ? `${JSON.stringify({ entries: String(entries) })}\n` : says);
      return 0;
    } finally {
      await database.close();
    }
  },
};

/** The database of the settings, also while a server runs on it; one is started only when none runs. */
async function lookOn({ databaseUrl, dataDir }: Settings, onProgress: (says: string) => void): Promise<Database> {
  const url = databaseUrl ?? (await findPostgres(dataDir));
  return url === undefined ? openDatabase({ dataDir, onProgress }) : connectDatabase({ url });
}
