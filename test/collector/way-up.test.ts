import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectorOf, span, spanId, traces } from './harness.ts';

const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
const under = (id: number, parent: number, kind: number) => span(id, kind, { parentSpanId: spanId(parent) });
const said = (
  hops: readonly { trace?: { spanId?: string } | undefined; cause?: { spanId: string }; side?: string }[],
) => hops.map(({ trace, side, cause }) => [trace?.spanId, side, cause?.spanId]);

test('inner spans between a hop and a parent that has not come are kept, and the parent when it comes: the way holds', async (t) => {
  const { take, accounting } = collectorOf(t);
  const first = await take('traces', traces('planner', under(5, 4, CLIENT), under(4, 3, INTERNAL)));
  assert.deepEqual(said(first), [
    [spanId(5), 'caller', spanId(4)],
    [spanId(4), 'local', undefined],
  ]);
  const second = await take('traces', traces('planner', under(3, 2, INTERNAL)));
  assert.deepEqual(said(second), [[spanId(3), 'local', undefined]]);
  const third = await take('traces', traces('planner', under(2, 1, INTERNAL), span(1, SERVER)));
  assert.deepEqual(said(third), [
    [spanId(2), 'local', spanId(1)],
    [spanId(1), 'callee', undefined],
  ]);
  assert.equal(accounting.account.notStored.internal_span, 0);
});

test('a parent that comes as a hop needs no inner span beside those that were already kept', async (t) => {
  const { take, accounting } = collectorOf(t);
  await take('traces', traces('planner', under(5, 4, CLIENT)));
  const late = await take('traces', traces('planner', span(4, SERVER), under(9, 4, INTERNAL)));
  assert.deepEqual(said(late), [[spanId(4), 'callee', undefined]]);
  assert.equal(accounting.account.notStored.internal_span, 1);
});

test('inner spans nobody waits for, of another service or of a way that is known are counted, not kept', async (t) => {
  const { take, accounting } = collectorOf(t);
  await take('traces', traces('planner', under(5, 4, CLIENT)));
  assert.deepEqual(await take('traces', traces('impostor', under(4, 3, INTERNAL))), []);
  assert.deepEqual(await take('traces', traces('planner', under(8, 7, INTERNAL))), []);
  await take('traces', traces('planner', under(12, 11, CLIENT), under(11, 10, INTERNAL), span(10, SERVER)));
  assert.equal(accounting.account.notStored.internal_span, 3);
});

test('a request sent again comes to the same observations, also after the parent came', async (t) => {
  const { take } = collectorOf(t);
  const request = () => take('traces', traces('planner', under(5, 4, CLIENT), under(4, 3, INTERNAL)));
  const ids = (await request()).map(({ id }) => id);
  assert.deepEqual(
    (await request()).map(({ id }) => id),
    ids,
  );
  await take('traces', traces('planner', under(3, 2, INTERNAL), span(2, SERVER)));
  for (const { id } of await request()) assert.ok(ids.includes(id));
});

test('a way up in a circle, or one that forks, waits for nothing', async (t) => {
  const { take } = collectorOf(t);
  const circle = await take('traces', traces('s', under(1, 2, CLIENT), under(2, 3, INTERNAL), under(3, 2, INTERNAL)));
  assert.equal(circle.length, 1);
  const fork = await take('traces', traces('s', under(9, 8, CLIENT), under(8, 6, INTERNAL), under(8, 7, INTERNAL)));
  assert.equal(fork.length, 1);
});
