import type { ClientBase } from 'pg';
import { hashLeaf } from '../../src/ledger/hash.ts';
import { flipHash } from '../ledger/harness.ts';
import { forged } from './log.ts';

/** Whole numbers from 0 to below a bound, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export interface Mutation {
  readonly says: string;
  readonly firstBad: bigint; // the first leaf index that is bad after it
  apply(owner: ClientBase): Promise<unknown>;
}

type Make = (size: number, random: (below: number) => number) => Mutation;

const one = (says: string, firstBad: number, sql: string, values: readonly unknown[] = []): Mutation => ({
  says,
  firstBad: BigInt(firstBad),
  apply: (owner) => owner.query(sql, [...values]),
});

const update: Make = (size, random) => {
  const [at, byte, bit] = [random(size), random(300), 1 << random(8)];
  return one(
    `bit ${bit} of byte ${byte} of entry ${at} flipped`,
    at,
    `update behalf.entry set bytes = set_byte(bytes, ${byte} % octet_length(bytes), get_byte(bytes, ${byte} % octet_length(bytes)) # ${bit})
     where log_id = 1 and leaf_index = ${at}`,
  );
};

const valueOnly: Make = (size, random) => {
  const at = random(size);
  return {
    says: `another value in entry ${at}, canonical as before`,
    firstBad: BigInt(at),
    apply: (owner) => rewrite(owner, at),
  };
};

const remove: Make = (size, random) => {
  const at = random(size);
  return one(`entry ${at} deleted`, at, `delete from behalf.entry where log_id = 1 and leaf_index = ${at}`);
};

const truncate: Make = (size, random) => {
  const at = random(size);
  return one(
    `the tail from entry ${at} on deleted`,
    at,
    `delete from behalf.entry where log_id = 1 and leaf_index >= ${at}`,
  );
};

const append: Make = (size, random) => {
  const at = size + random(1000);
  return one(
    `an entry added at ${at}`,
    at,
    `insert into behalf.entry select log_id, ${at}, bytes from behalf.entry where log_id = 1 and leaf_index = ${random(size)}`,
  );
};

const insert: Make = (size, random) => {
  const at = random(size);
  const copied = (at + 1 + random(size - 1)) % size;
  return one(
    `a copy of entry ${copied} inserted at ${at}, the others moved up, the leaf hashes where they were`,
    at,
    `with moved as (
       select leaf_index + 1 as at, bytes from behalf.entry where log_id = 1 and leaf_index >= ${at}
       union all select ${at}, bytes from behalf.entry where log_id = 1 and leaf_index = ${copied}
     )
     insert into behalf.entry (log_id, leaf_index, bytes) select 1, at, bytes from moved
     on conflict (log_id, leaf_index) do update set bytes = excluded.bytes`,
  );
};

const swap: Make = (size, random) => {
  const [a, b] = [random(size), random(size)];
  if (a === b) return update(size, random);
  return one(
    `entries ${a} and ${b} swapped`,
    Math.min(a, b),
    `update behalf.entry e set bytes = o.bytes from behalf.entry o
     where e.log_id = 1 and o.log_id = 1 and e.leaf_index in (${a}, ${b}) and o.leaf_index = ${a + b} - e.leaf_index`,
  );
};

const leafToo: Make = (size, random) => {
  const at = random(size - (size % 256));
  return {
    says: `entry ${at} rewritten with its leaf hash`,
    firstBad: BigInt(at - (at % 256)),
    async apply(owner) {
      const bytes = await rewrite(owner, at);
      await owner.query(`update behalf.entry set leaf = $1 where log_id = 1 and leaf_index = ${at}`, [hashLeaf(bytes)]);
    },
  };
};

const tile: Make = (size, random) => {
  const [at, byte] = [random(size), random(32)];
  return one(`leaf hash ${at} changed`, at, flipHash(0, 0, at, byte));
};

async function rewrite(owner: ClientBase, at: number): Promise<Uint8Array> {
  const { rows } = await owner.query<{ bytes: Buffer }>(
    `select bytes from behalf.entry where log_id = 1 and leaf_index = ${at}`,
  );
  const bytes = forged(rows[0]?.bytes ?? new Uint8Array(0));
  await owner.query(`update behalf.entry set bytes = $1 where log_id = 1 and leaf_index = ${at}`, [bytes]);
  return bytes;
}

const KINDS: readonly Make[] = [update, valueOnly, remove, truncate, append, insert, swap, leafToo, tile];

/** The mutation of a seed. */
export function mutationOf(seed: number, size: number): Mutation {
  const random = randomFrom(seed);
  return (KINDS[random(KINDS.length)] ?? update)(size, random);
}
