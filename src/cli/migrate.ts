import { openDatabase } from '#database';
import type { Command } from './command.ts';
import { settingsFrom } from './settings.ts';

/** `behalf migrate`: brings the database's schema up to this program, and ends. */
export const migrate: Command = {
  name: 'migrate',
  summary: 'bring the database up to this version of the program (serve does so too)',
  options: {},
  async run(_, terminal) {
    const { databaseUrl, dataDir } = settingsFrom(terminal.environment);
    const database = await openDatabase({
      ...(databaseUrl === undefined ? {} : { url: databaseUrl }),
      dataDir,
      onProgress: (says) => terminal.err(`${says}\n`),
    });
    await database.close();
    terminal.out('the database is up to date\n');
    return 0;
  },
};
