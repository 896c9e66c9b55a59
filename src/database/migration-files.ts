import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseError } from './errors.ts';

/** One step of the schema: `000001_ledger.sql` is number 1, name `ledger`. `sha256` is over the file's bytes. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly file: string;
  readonly sql: string;
  readonly sha256: Buffer;
}

/** The migrations that belong to this program. */
export const MIGRATIONS_FOLDER = join(import.meta.dirname, '..', '..', 'migrations');

/** Reads a folder of migrations in order; numbers start at 1 and leave none out (DatabaseError `migration`). */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).toSorted();
  const migrations = await Promise.all(files.map((file) => readMigration(folder, file)));
  for (const [i, { number, file }] of migrations.entries()) {
    if (number !== i + 1) {
      throw new DatabaseError('migration', `migrations/${file}: expected number ${i + 1}; each number occurs once`);
    }
  }
  return migrations;
}

async function readMigration(folder: string, file: string): Promise<Migration> {
  const [, number, name] = /^(\d{6})_([a-z][a-z0-9_]*)\.sql$/.exec(file) ?? [];
  if (number === undefined || name === undefined) {
    throw new DatabaseError('migration', `migrations/${file}: expected six digits, _ and a noun, as 000001_ledger.sql`);
  }
  const bytes = await readFile(join(folder, file));
  const sha256 = createHash('sha256').update(bytes).digest();
  return { number: Number(number), name, file, sql: bytes.toString('utf8'), sha256 };
}
