/*
 * Kills a host of the SDK again and again under load, its collector now there, now not, and looks into the ledger:
 * node --conditions=behalf-source test/faults/sdk-kills.ts [kills]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '#database';
import { sdkKills } from './sdk-kills-run.ts';

const kills = Number(process.argv[2] ?? 200);
const dataDir = await mkdtemp(join(tmpdir(), 'behalf-kills-'));
const database = await openDatabase({ dataDir: join(dataDir, 'postgres') });
const cleanups: (() => unknown)[] = [];
try {
  const report = await sdkKills({ after: (run: () => unknown) => void cleanups.unshift(run) }, { database, kills });
  process.stdout.write(`${JSON.stringify({ kills, ...report })}\n`);
} finally {
  for (const cleanup of cleanups) await cleanup();
  await database.close();
  await rm(dataDir, { recursive: true, force: true });
}
