import { connectDatabase, type Database, findPostgres, openDatabase } from '#database';
import { fsck as checkDatabase, type FsckReport } from '#ledger';
import { type Command, JSON_OPTION, textOption } from './command.ts';
import { progressLine } from './progress.ts';
import { type Settings, settingsFrom } from './settings.ts';

/** `behalf fsck`: recomputes the log from the entry bytes in the database. */
export const fsck: Command = {
  name: 'fsck',
  summary: 'recompute the log from the database: entries, tiles, root, checkpoints; names the first difference',
  options: {
    key: { value: 'vkey', says: 'also check every checkpoint’s signature with this verifier key' },
    ...JSON_OPTION,
  },
  async run(given, terminal) {
    const database = await lookOn(settingsFrom(terminal.environment), (says) => terminal.err(`${says}\n`));
    try {
      const verifierKey = textOption(given, 'key');
      const progress = progressLine(terminal, 'entries checked');
      const report = await checkDatabase({
        database,
        logId: 1,
        ...(verifierKey === undefined ? {} : { verifierKey }),
        onProgress: progress,
      });
      progress.end();
      terminal.out(given.options.json === true ? `${toJson(report)}\n` : describe(report));
      return report.ok ? 0 : 1;
    } finally {
      await database.close();
    }
  },
};

/** The database of the settings, also while a server runs on it: this command reads, and starts one only when none runs. */
async function lookOn({ databaseUrl, dataDir }: Settings, onProgress: (says: string) => void): Promise<Database> {
  const url = databaseUrl ?? (await findPostgres(dataDir));
  return url === undefined ? openDatabase({ dataDir, onProgress }) : connectDatabase({ url });
}

const toJson = (report: FsckReport): string =>
  JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

const describe = (report: FsckReport): string =>
  report.ok
    ? `sound: ${report.entries} entries recomputed from their bytes; tiles, root and checkpoints agree\n`
    : `not sound after ${report.entries} entries: ${report.firstDifference?.says ?? 'no difference is named'}\n`;
