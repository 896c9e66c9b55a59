import type { Database } from '#database';
import { snapshot } from './snapshot.ts';
import { selectEntries } from './sql/entry.ts';
import { selectLog } from './sql/log.ts';
import { selectPersonsByRef } from './sql/person.ts';

export interface AbsentPersons {
  /** References that entries name and that have no row: erased, or taken away. */
  readonly persons: number;
  readonly first?: { readonly ref: string; readonly leafIndex: bigint };
}

const PAGE = 512;

/** Looks for persons whom nobody can name any more, in one snapshot. Rejects only when the database cannot be read. */
export function findAbsentPersons({
  database,
  logId,
}: {
  readonly database: Database;
  readonly logId: number;
}): Promise<AbsentPersons> {
  return snapshot(database, async (db) => {
    const size = (await selectLog(db, logId))?.size ?? 0n;
    const absent = new Map<string, bigint>();
    for (let from = 0n; from < size; from += BigInt(PAGE)) {
      const named = new Map<string, bigint>();
      for (const { leafIndex, bytes } of await selectEntries(db, logId, from, PAGE)) {
        for (const ref of refsIn(bytes)) if (!named.has(ref)) named.set(ref, leafIndex);
      }
      const there = new Set((await selectPersonsByRef(db, logId, [...named.keys()])).map(({ ref }) => ref));
      for (const [ref, leafIndex] of named) if (!there.has(ref) && !absent.has(ref)) absent.set(ref, leafIndex);
    }
    const [first] = absent;
    return { persons: absent.size, ...(first === undefined ? {} : { first: { ref: first[0], leafIndex: first[1] } }) };
  });
}

/** A reference is a random text of its own form: it stands nowhere else in an entry. */
const refsIn = (bytes: Uint8Array): readonly string[] =>
  [
    ...Buffer.from(bytes)
      .toString('utf8')
      .matchAll(/"ref":"(p_[0-9a-f]{32})"/g),
  ].flatMap(([, ref]) => ref ?? []);
