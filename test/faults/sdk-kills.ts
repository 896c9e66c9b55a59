/*
 * Kills a host of the SDK again and again under load, its collector now there, now not, and looks into the ledger:
 * npm run test:kills -- [--kills 200]. Ends with 1 when an answered request is missing or doubled.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '#database';
import { sdkKills } from './sdk-kills-run.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' } } });
const kills = Number(values.kills);
if (!Number.isSafeInteger(kills) || kills < 1)
  throw new TypeError(`--kills: expected a whole number from 1, got ${values.kills}`);
const dataDir = await mkdtemp(join(tmpdir(), 'behalf-kills-'));
const database = await openDatabase({ dataDir: join(dataDir, 'postgres') });
const cleanups: (() => unknown)[] = [];
try {
  const report = await sdkKills({ after: (run: () => unknown) => void cleanups.unshift(run) }, { database, kills });
  process.stdout.write(`${JSON.stringify({ kills, ...report })}\n`);
  if (report.missing + report.doubled + report.numbersReused > 0) process.exitCode = 1;
} finally {
  for (const cleanup of cleanups) await cleanup();
  await database.close();
  await rm(dataDir, { recursive: true, force: true });
}
