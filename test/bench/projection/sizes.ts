import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '#database';
import { type BenchApi, openApi } from './api.ts';
import { insertAsked } from './asked.ts';
import { fill, holds, settle } from './fill.ts';

/** Tables that hold so many hops, in a database of their own, and the query API over them. */
export interface Size {
  readonly hops: number;
  readonly api: BenchApi;
  readonly database: Database;
  readonly fillSeconds: number;
}

/**
 * A database for each size, all open at once: what is asked of them by turns meets the same machine, whatever else it does.
 * With `data`, a folder, they are kept there and filled only once.
 */
export async function withSizes<T>(
  given: { readonly hops: readonly number[]; readonly data: string | undefined },
  use: (sizes: readonly Size[]) => Promise<T>,
): Promise<T> {
  const folder = given.data ?? (await mkdtemp(join(tmpdir(), 'behalf-bench-')));
  const sizes: Size[] = [];
  try {
    for (const hops of given.hops) sizes.push(await openSize(join(folder, String(hops)), hops));
    return await use(sizes);
  } finally {
    for (const { api, database } of sizes) {
      await api.close();
      await database.close();
    }
    if (given.data === undefined) await rm(folder, { recursive: true });
  }
}

async function openSize(folder: string, hops: number): Promise<Size> {
  const database = await openDatabase({ dataDir: join(folder, 'data') });
  const api = await openApi(database, folder);
  const from = performance.now();
  if (!(await holds(database, hops))) {
    await insertAsked(database);
    await fill(database, hops);
  }
  await settle(database);
  return { hops, api, database, fillSeconds: (performance.now() - from) / 1000 };
}
