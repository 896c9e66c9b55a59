import { join } from 'node:path';
import fastify from 'fastify';
import type { Database } from '#database';
import { openLedger } from '#ledger';
import { openLogReader, openPersonReader } from '#ledger/read';
import { queryApi } from '#query';
import { LOG } from './fill.ts';

export interface BenchApi {
  /** The answer's body, which must be 200, and the milliseconds it took. */
  ask<T>(path: string): Promise<{ readonly answer: T; readonly ms: number }>;
  close(): Promise<void>;
}

/** The query API over a log without entries: what is asked for stands in the projection's tables alone. */
export async function openApi(database: Database, folder: string): Promise<BenchApi> {
  const keyFolder = join(folder, 'keys');
  const ledger = await openLedger({ database, keyFolder, onAlarm: () => undefined });
  const { origin, verifierKey } = ledger;
  const persons = await openPersonReader({ database, logId: LOG, origin, keyFolder });
  const app = fastify({ routerOptions: { maxParamLength: 1024 } });
  const log = openLogReader({ database, logId: LOG });
  await app.register(queryApi, { database, log, persons, projection: { size: () => 0n }, verifierKey });
  return {
    async ask<T>(path: string) {
      const from = performance.now();
      const response = await app.inject(path);
      if (response.statusCode !== 200) throw new Error(`${path}: expected 200, got ${response.body}`);
      return { answer: response.json<T>(), ms: performance.now() - from };
    },
    async close() {
      await app.close();
      await ledger.close();
    },
  };
}

/** Of some milliseconds. */
export function percentiles(ms: readonly number[]): { readonly p50Ms: number; readonly p95Ms: number } {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p95Ms: at(0.95) };
}
