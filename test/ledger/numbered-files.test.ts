import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { NumberedFiles } from '../../src/ledger/numbered-files.ts';
import { temporaryFolder } from './harness.ts';

test('texts follow each other, and of several that follow the same one text is there', async (t) => {
  const folder = join(await temporaryFolder(t), 'made');
  const files = new NumberedFiles(folder, 'note');
  assert.equal(await files.last(), undefined);
  for (let round = 1; round <= 5; round += 1) {
    const before = await files.last();
    const texts = ['a', 'b', 'c', 'd'].map((text) => `${text}${round}`);
    const placed = (await Promise.all(texts.map((text) => files.follow(before, text)))).filter(
      (each) => each !== undefined,
    );
    assert.deepEqual(placed, [await files.last()]);
    assert.equal(placed[0]?.generation, round);
  }
  assert.ok((await readdir(folder)).length <= 2);
});

test('whoever slept for several turns follows nothing, although its place is free again', async (t) => {
  const files = new NumberedFiles(await temporaryFolder(t), 'note');
  const slept = await files.follow(undefined, 'first');
  let last = slept;
  for (let i = 0; i < 4; i += 1) last = await files.follow(last, `later ${i}`);
  assert.equal(await files.follow(slept, 'as if nothing had happened'), undefined);
  assert.deepEqual(await files.last(), last);
});

test('what others left in the folder is no text', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['.0123.tmp', '7.note', '000000000009.other', '000000000009.note.bak']) {
    await writeFile(join(folder, name), 'x');
  }
  assert.equal(await new NumberedFiles(folder, 'note').last(), undefined);
});
