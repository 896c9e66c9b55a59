import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Checkpoint, formatCheckpoint, type LogReport, parseTilePath, verifyLog } from '@behalf/verify';
import type { Ledger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { encodeEntry, parseEntry } from '#observation';
import { SigningKey } from '../../src/ledger/signing-key.ts';
import { type TestLog, testLog } from '../ledger/harness.ts';
import { hops } from '../ledger/observations.ts';

/** A published log, still open, with what an auditor kept of it. */
export async function publishedLog(
  t: TestContext,
  size: number,
): Promise<{ log: TestLog; ledger: Ledger; note: string }> {
  const log = await testLog(t);
  // A server over a tampered database alarms; each case says itself what must be told.
  const ledger = await log.open({ onAlarm: () => undefined });
  await ledger.append(hops(size));
  await ledger.publish();
  return { log, ledger, note: (await log.reader.checkpoint())?.note ?? '' };
}

/** Reads the database's log as a stranger over HTTP would, nothing cached. */
export function audit(
  { database }: Pick<TestLog, 'database'>,
  verifierKey: string,
  previous?: string,
): Promise<LogReport> {
  const reader = openLogReader({ database, logId: 1, cacheBytes: 0 });
  const fetch = async (url: string): Promise<Response> => {
    const path = new URL(url).pathname.slice(1);
    if (path === 'checkpoint') return new Response((await reader.checkpoint())?.note);
    const tile = parseTilePath(path);
    try {
      const bytes =
        tile.kind === 'tile'
          ? await reader.tile(tile.level, tile.index, tile.width)
          : await reader.entryBundle(tile.index, tile.width);
      return bytes === undefined ? new Response(null, { status: 404 }) : new Response(new Uint8Array(bytes));
    } catch {
      return new Response('the server fails', { status: 400 }); // as over HTTP: the reader learns no more
    }
  };
  return verifyLog({ url: 'http://log.test/', verifierKey, fetch, ...(previous === undefined ? {} : { previous }) });
}

/** The same entry with another operation, as a forger would write it. */
export const forged = (bytes: Uint8Array): Uint8Array =>
  encodeEntry({ ...parseEntry(bytes), operation: 'forged' } as never);

/** A checkpoint signed with the log's own key, by whoever stole it. */
export async function signWithStolenKey({ keyFolder }: TestLog, checkpoint: Checkpoint): Promise<string> {
  const seed = Buffer.from((await readFile(join(keyFolder, 'signer.key'), 'utf8')).trim(), 'hex');
  return new SigningKey(seed).signNote(checkpoint.origin, formatCheckpoint(checkpoint));
}
