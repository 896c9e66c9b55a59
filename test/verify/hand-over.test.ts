import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  followHandOvers,
  formatCheckpoint,
  formatHandOver,
  formatHandOverNote,
  openCheckpoint,
  openHandOver,
  parseHandOver,
  VerificationError,
} from '@behalf/verify';
import { SigningKey, signatureBy } from '../../src/ledger/signing-key.ts';

const ORIGIN = 'log.example/one';
const keys = [1, 2, 3, 4].map((byte) => new SigningKey(new Uint8Array(32).fill(byte)));
const vkey = (i: number, origin = ORIGIN): string => keys[i]?.verifierKey(origin) ?? assert.fail();

async function noteOf(from: number, to: number, until = 5n): Promise<string> {
  const handOver = { origin: ORIGIN, from: vkey(from), to: vkey(to), until };
  const text = formatHandOver(handOver);
  const [a = assert.fail(), b = assert.fail()] = [keys[from], keys[to]];
  return formatHandOverNote(handOver, [await signatureBy(a, ORIGIN, text), await signatureBy(b, ORIGIN, text)]);
}

const code = (expected: string) => (error: unknown) => error instanceof VerificationError && error.code === expected;

test('a hand-over is read back as it was written, and is never a checkpoint, nor a checkpoint one', async () => {
  const handOver = await openHandOver(await noteOf(0, 1));
  assert.deepEqual(handOver, { origin: ORIGIN, from: vkey(0), to: vkey(1), until: 5n });
  await assert.rejects(openCheckpoint(await noteOf(0, 1), vkey(0)), code('malformed'));
  const checkpoint = formatCheckpoint({ origin: ORIGIN, size: 1n, root: new Uint8Array(32) });
  assert.throws(() => parseHandOver(checkpoint), code('malformed'));
});

test('every changed character of a hand-over note is found', async () => {
  const note = await noteOf(0, 1);
  for (let i = 0; i < note.length; i += 1) {
    const changed = `${note.slice(0, i)}${note[i] === 'A' ? 'B' : 'A'}${note.slice(i + 1)}`;
    await assert.rejects(openHandOver(changed), VerificationError, `character ${i}`);
  }
});

test('both keys must have signed', async () => {
  const note = await noteOf(0, 1);
  const lines = note.split('\n');
  for (const gone of [-2, -3]) {
    const one = lines.toSpliced(gone, 1).join('\n');
    await assert.rejects(openHandOver(one), code('unsigned'));
  }
});

test('only keys of one log are handed over, to another key', () => {
  const good = { origin: ORIGIN, from: vkey(0), to: vkey(1), until: 0n };
  for (const bad of [
    { ...good, to: good.from },
    { ...good, to: vkey(1, 'log.example/two') },
    { ...good, origin: 'log.example/two' },
    { ...good, until: -1n },
    { ...good, until: 2n ** 63n },
    { ...good, from: 'x' },
  ]) {
    assert.throws(() => formatHandOver(bad), code('malformed'));
  }
});

test('whoever trusts one key is led to the last, and a gap or a stranger in the line ends it', async () => {
  const notes = [await noteOf(0, 1), await noteOf(1, 2), await noteOf(2, 3)];
  for (const start of [0, 1, 2, 3]) {
    assert.deepEqual(
      await followHandOvers(vkey(start), notes),
      [0, 1, 2, 3].slice(start).map((i) => vkey(i)),
    );
  }
  await assert.rejects(followHandOvers(vkey(0), [notes[0] ?? '', notes[2] ?? '']), code('unsigned'));
  assert.deepEqual(await followHandOvers(vkey(0), [notes[1] ?? '']), [vkey(0)]);
  await assert.rejects(followHandOvers(vkey(0), ['x']), code('malformed'));
});
