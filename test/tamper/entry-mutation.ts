import { flipped } from '../verify/reference-log.ts';
import { forged } from './log.ts';
import { byStoredRows, type Make, type Mutation } from './mutation.ts';
import { endsOf, type StoredEntry, type StoredLog, type StoredRow, withBytes } from './stored-log.ts';

type Random = (below: number) => number;
const entryAt = (index: number): Mutation['found'] => ({ by: 'fsck', kind: 'entry', leafIndex: BigInt(index) });
/** What is told where an entry was changed with its leaf hash: the tile above, from the first entry below that place on. */
const tileOver = (index: number): Mutation['found'] => ({
  by: 'fsck',
  kind: 'tile',
  leafIndex: BigInt(index - (index % 256)),
});

/** One entry's bytes become others; with its leaf hash, only the tiles above can tell. */
function changed(
  log: StoredLog,
  what: string,
  at: number,
  { bytes, leafToo }: { readonly bytes: Uint8Array; readonly leafToo: boolean },
): Mutation {
  const change = log.withEntries(new Map([[at, withBytes(log.entry(at), bytes, leafToo)]]));
  const says = `entry ${at}: ${what}${leafToo ? ', and its leaf hash with it' : ''}`;
  return byStoredRows(log, { says, change, found: leafToo ? tileOver(at) : entryAt(at) });
}

const bit =
  (leafToo: boolean): Make =>
  (log, random) => {
    const at = random(leafToo ? log.inFullTiles : log.size);
    const { bytes } = log.entry(at);
    const place = random(8 * bytes.length);
    return changed(log, `bit ${place} flipped`, at, { bytes: flipped(bytes, place), leafToo });
  };

const value =
  (leafToo: boolean): Make =>
  (log, random) => {
    const at = random(leafToo ? log.inFullTiles : log.size);
    return changed(log, 'another value, canonical as before', at, { bytes: forged(log.entry(at).bytes), leafToo });
  };

const swapped =
  (leafToo: boolean): Make =>
  (log, random) => {
    const [a, b] = twoOf(leafToo ? log.inFullTiles : log.size, random);
    const [one, other] = [log.entry(a), log.entry(b)];
    const change = log.withEntries(
      new Map([
        [a, withBytes(one, other.bytes, leafToo)],
        [b, withBytes(other, one.bytes, leafToo)],
      ]),
    );
    const says = `entries ${a} and ${b} changed places${leafToo ? ', their leaf hashes too' : ''}`;
    return byStoredRows(log, { says, change, found: leafToo ? tileOver(a) : entryAt(a) });
  };

function twoOf(size: number, random: Random): [number, number] {
  const a = random(size);
  const b = (a + 1 + random(size - 1)) % size;
  return [Math.min(a, b), Math.max(a, b)];
}

const leafHash: Make = (log, random) => {
  const at = random(log.size);
  const { bytes, leaf } = log.entry(at);
  const change = log.withEntries(new Map([[at, { bytes, leaf: flipped(leaf, random(256)) }]]));
  return byStoredRows(log, { says: `leaf hash ${at}: a bit flipped`, change, found: entryAt(at) });
};

const part = (row: StoredRow, from: number, to: number): StoredRow | undefined =>
  from >= to ? undefined : { first: row.first + from, entries: row.entries.slice(from, to) };

const removed: Make = (log, random) => {
  const at = random(log.size);
  const row = log.rowOf(at);
  const [before, after] = [part(row, 0, at - row.first), part(row, at - row.first + 1, row.entries.length)];
  const change = new Map([[row.first, before]]);
  if (after !== undefined) change.set(after.first, after);
  return byStoredRows(log, { says: `entry ${at} deleted`, change, found: entryAt(at) });
};

const rowRemoved: Make = (log, random) => {
  const { first } = log.rowOf(random(log.size));
  const change = new Map([[first, undefined]]);
  return byStoredRows(log, { says: `the row from ${first} deleted`, change, found: entryAt(first) });
};

const rowCut: Make = (log, random) => {
  const at = random(log.size);
  const row = log.rowOf(at);
  const change = new Map([[row.first, part(row, 0, at - row.first)]]);
  return byStoredRows(log, { says: `the row from ${row.first} cut off at ${at}`, change, found: entryAt(at) });
};

const rowMoved: Make = (log, random) => {
  const row = log.rowOf(random(log.size));
  const to = 2 ** 20 + (row.first % 256);
  const change = new Map([
    [row.first, undefined],
    [to, { ...row, first: to }],
  ]);
  return byStoredRows(log, { says: `the row from ${row.first} moved to ${to}`, change, found: entryAt(row.first) });
};

const rowTwice: Make = (log, random) => {
  const rows = log.rows.filter(({ entries }) => entries.length > 1);
  const row = rows[random(rows.length)] ?? log.rowOf(0);
  const copy = part(row, 1 + random(row.entries.length - 1), row.entries.length);
  if (copy === undefined) return removed(log, random);
  const change = new Map([[copy.first, copy]]);
  const says = `a part of the row from ${row.first} stands a second time, from ${copy.first}`;
  return byStoredRows(log, { says, change, found: entryAt(copy.first), isServed: false });
};

const rowsSwapped: Make = (log, random) => {
  const full = log.rows.filter(({ first, entries }) => first + entries.length <= log.inFullTiles);
  const one = full[random(full.length)] ?? log.rowOf(0);
  const others = full.filter(({ first, entries }) => first !== one.first && entries.length === one.entries.length);
  const other = others[random(Math.max(1, others.length))];
  if (other === undefined) return swapped(true)(log, random);
  const change = new Map([
    [one.first, { ...other, first: one.first }],
    [other.first, { ...one, first: other.first }],
  ]);
  const says = `the rows from ${one.first} and ${other.first} changed places`;
  return byStoredRows(log, { says, change, found: tileOver(Math.min(one.first, other.first)) });
};

const truncated: Make = (log, random) => {
  const at = random(log.size);
  const row = log.rowOf(at);
  const after = log.rows.filter(({ first }) => first > row.first).map(({ first }) => [first, undefined] as const);
  const change = new Map([[row.first, part(row, 0, at - row.first)], ...after]);
  return byStoredRows(log, { says: `the tail from ${at} on deleted`, change, found: entryAt(at) });
};

const appended: Make = (log, random) => {
  const at = log.size + random(1000);
  const change = new Map([[at, { first: at, entries: [log.entry(random(log.size))] }]]);
  // Beyond the published tree it is served to nobody.
  return byStoredRows(log, { says: `an entry added at ${at}`, change, found: entryAt(at), isServed: false });
};

/** Every entry from there on moves up, the last one out; their leaf hashes stay. */
const inserted: Make = (log, random) => {
  const [at, copied] = twoOf(log.size, random);
  const shifted = new Map<number, StoredEntry>();
  for (let i = at; i < log.size; i += 1) {
    const { bytes } = log.entry(i === at ? copied : i - 1);
    shifted.set(i, withBytes(log.entry(i), bytes, false));
  }
  const says = `a copy of entry ${copied} inserted at ${at}, the others moved up`;
  return byStoredRows(log, { says, change: log.withEntries(shifted), found: entryAt(at) });
};

/** Where one entry ends and the next begins moves; the bytes stay. */
const ends: Make = (log, random) => {
  const rows = log.rows.filter(({ entries }) => entries.length > 1);
  const row = rows[random(rows.length)] ?? log.rowOf(0);
  const i = random(row.entries.length - 1);
  const own = endsOf(row.entries);
  const [before, end, after] = [own[i - 1] ?? 0, own[i] ?? 0, own[i + 1] ?? 0];
  const moved = before + 1 + random(after - before - 1);
  const at = row.first + i;
  if (moved === end || moved >= after) return leafHash(log, random);
  const says = `entry ${at} ends ${moved - end} bytes later`;
  const change = new Map([[row.first, row]]);
  return byStoredRows(log, { says, change, found: entryAt(at), ends: own.with(i, moved) });
};

export const ENTRY_MUTATIONS: readonly Make[] = [
  bit(false),
  bit(true),
  value(false),
  value(true),
  swapped(false),
  swapped(true),
  leafHash,
  removed,
  rowRemoved,
  rowCut,
  rowMoved,
  rowTwice,
  rowsSwapped,
  truncated,
  appended,
  inserted,
  ends,
];
