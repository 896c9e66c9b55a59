import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { test } from 'node:test';
import {
  formatNote,
  formatVerifierKey,
  openCheckpoint,
  openCosignature,
  parseNote,
  verifierKeyId,
} from '@behalf/verify';
import { checkpointText, flipped, privateKey, rawPublicKey, signNote, verifierKeyOf } from './reference-log.ts';

// Made with a published seed and accepted by transparency-dev/formats.
const WITNESS = 'witness.example/w1+cc9a7044+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const NOTE =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
  '\u2014 witness.example/w1 zJpwRAAAAABkGFDLJeR//pqzhnEKVvEm2wWbh2RJ6oru5+cUUfm5X9NnlaGr8aSH9QE5RVZD4QGlxl2F5UpVIIi94p178KLfqPPsAA==\n';

const origin = 'log.example/behalf';
const witness = 'witness.example';
const own = formatVerifierKey(witness, rawPublicKey, 'cosignature');
const text = checkpointText(origin, 5, Buffer.alloc(32, 9));

function cosignature(time: bigint, message = `cosignature/v1\ntime ${time}\n${text}`) {
  const signature = new Uint8Array(72);
  new DataView(signature.buffer).setBigUint64(0, time);
  signature.set(sign(null, Buffer.from(message), privateKey), 8);
  return { name: witness, keyId: verifierKeyId(witness, rawPublicKey, 'cosignature'), signature };
}
const noteWith = (...signatures: ReturnType<typeof cosignature>[]) => formatNote({ text, signatures });

test('the published cosignature opens, with its time', async () => {
  const { checkpoint, time } = await openCosignature(NOTE, WITNESS);
  assert.equal(time, 1679315147n);
  assert.equal(checkpoint.origin, 'example.com/behind-the-sofa');
  assert.equal(checkpoint.size, 20852163n);
});

test('any bit of a cosignature changed, its time included, is refused', async () => {
  const { text: given, signatures } = parseNote(NOTE);
  const [published] = signatures;
  assert.ok(published);
  for (let bit = 0; bit < 576; bit += 1) {
    const changed = formatNote({
      text: given,
      signatures: [{ ...published, signature: flipped(published.signature, bit) }],
    });
    await assert.rejects(openCosignature(changed, WITNESS), { code: 'bad_signature' });
  }
});

test('a log’s signature and a witness’s stand beside each other, each opened by its own key', async () => {
  const note = formatNote({ text, signatures: [...parseNote(signNote(origin, text)).signatures, cosignature(7n)] });
  assert.equal((await openCheckpoint(note, verifierKeyOf(origin))).size, 5n);
  assert.equal((await openCosignature(note, own)).time, 7n);
  await assert.rejects(openCheckpoint(note, own), { code: 'malformed' });
  await assert.rejects(openCosignature(note, verifierKeyOf(origin)), { code: 'malformed' });
});

test('the latest time counts where a witness signed twice', async () => {
  assert.equal((await openCosignature(noteWith(cosignature(9n), cosignature(11n), cosignature(10n)), own)).time, 11n);
});

test('a plain signature, a time of 2^63 and another log’s text are no cosignature', async () => {
  const plain = { ...cosignature(7n), signature: new Uint8Array(sign(null, Buffer.from(text), privateKey)) };
  const other = `cosignature/v1\ntime 7\n${text.replace('5', '6')}`;
  for (const signature of [plain, cosignature(2n ** 63n), cosignature(7n, other), cosignature(7n, text)]) {
    await assert.rejects(openCosignature(noteWith(signature), own), { code: 'bad_signature' });
  }
});

test('a note without this witness is unsigned', async () => {
  await assert.rejects(openCosignature(signNote(origin, text), own), { code: 'unsigned' });
});
