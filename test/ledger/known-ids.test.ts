import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_ROOT } from '@behalf/verify';
import { prepareBatch } from '../../src/ledger/batch.ts';
import { EMPTY_EDGE } from '../../src/ledger/edge.ts';
import { digestLeaf } from '../../src/ledger/hash.ts';
import { BUCKET_LIMIT, idBytes, idKey, KnownIds } from '../../src/ledger/known-ids.ts';

const id = (bucket: number, n: number): string => {
  const time = (256 * bucket).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
};
const entry = (bucket: number, n: number) => {
  const bytes = Buffer.from('{}');
  return { bytes, leaf: digestLeaf(bytes), id: idKey(id(bucket, n)) };
};

test('an id’s bucket is its time in quarters of a second, and its bytes are its digits', () => {
  assert.equal(idKey('0190a6f2-1c2d-7abc-8def-0123456789ab').bucket, 0x0190a6f21c);
  assert.equal(idBytes([id(1, 255)]).toString('hex'), `000000000100700080000000000000ff`);
  assert.throws(() => idBytes(['no id']), TypeError);
});

test('ids beyond what is held go by whole buckets, the least recently used first, and none that a batch under way uses', () => {
  const known = new KnownIds(3);
  const add = (bucket: number, ns: readonly number[]) => {
    known.learn(known.missing([idKey(id(bucket, 0))]), []);
    for (const n of ns) known.add(idKey(id(bucket, n)), n);
  };
  const one = known.begin();
  add(1, [1, 2]);
  const two = known.begin();
  add(2, [3, 4]);
  assert.equal(known.count, 4);
  known.settled(one - 1);
  assert.equal(known.count, 4, 'both are under way');
  known.settled(one);
  assert.deepEqual(known.missing([idKey(id(1, 1)), idKey(id(2, 3))]), [1], 'the settled one went, whole');
  assert.equal(known.find(idKey(id(2, 3))), 3);
  known.settled(two);
  assert.equal(known.count, 2, 'what fits stays');
  assert.throws(() => known.find(idKey(id(1, 1))), TypeError, 'never taken for unknown');
});

test('a bucket that a sender filled takes no more: refused with its reason, what is known is still known, others are not touched', () => {
  const known = new KnownIds();
  known.begin();
  const indexes = Array.from({ length: BUCKET_LIMIT }, (_, i) => i);
  known.learn([7, 8], [{ bucket: 7, ids: idBytes(indexes.map((n) => id(7, n))), indexes }]);
  const { sequenced, rows } = prepareBatch(
    [entry(7, 5), entry(7, BUCKET_LIMIT), entry(8, 1)],
    { edge: EMPTY_EDGE, root: EMPTY_ROOT },
    known,
  );
  assert.deepEqual(sequenced[0], { kind: 'sequenced', leafIndex: 5n, duplicate: true });
  assert.equal(sequenced[1]?.kind, 'refused');
  assert.match(
    sequenced[1].reason,
    /more than 1048576 observation ids name the same quarter of a second; expected ids of the time/,
  );
  assert.deepEqual(sequenced[2], { kind: 'sequenced', leafIndex: 0n, duplicate: false });
  assert.equal(rows?.to.size, 1n);
});
