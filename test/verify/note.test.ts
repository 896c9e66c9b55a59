import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNote, type Note, openNote, parseNote, parseVerifierKey } from '@behalf/verify';
import fc from 'fast-check';
import { keyNames } from './key-names.ts';
import { flipped, signNote, verifierKeyOf } from './reference-log.ts';

// https://c2sp.org/signed-note@v1.0.0 and golang.org/x/mod/sumdb/note
const VECTORS = [
  {
    key: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    note: 'This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
  },
  {
    key: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    note: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
  },
] as const;

const name = 'log.example/behalf';
const key = parseVerifierKey(verifierKeyOf(name));
const signed = signNote(name, 'text\n');
const withLine = (note: string, ...lines: readonly string[]): string =>
  note + lines.map((line) => `${line}\n`).join('');
const STRANGER = '\u2014 stranger.example AAAAAAA=';

for (const { key: verifierKey, note } of VECTORS) {
  test(`the published note by ${verifierKey.split('+')[0]} opens, and with any bit of text or signature changed does not`, async () => {
    const known = parseVerifierKey(verifierKey);
    const opened = await openNote(note, known);
    assert.equal(formatNote(opened), note);
    const bytes = new TextEncoder().encode(opened.text);
    for (let bit = 0; bit < 8 * bytes.length; bit += 5) {
      const text = new TextDecoder().decode(flipped(bytes, bit));
      await assert.rejects(async () => openNote(formatNote({ ...opened, text }), known), { name: 'VerificationError' });
    }
    const [own] = opened.signatures;
    assert.ok(own);
    for (let bit = 0; bit < 512; bit += 1) {
      const signatures = [{ ...own, signature: flipped(own.signature, bit) }];
      await assert.rejects(openNote(formatNote({ ...opened, signatures }), known), { code: 'bad_signature' });
    }
  });
}

test('signatures of unknown keys are ignored, wherever they stand', async () => {
  await openNote(withLine(signed, STRANGER), key);
  const [text = '', own = ''] = signed.split('\n\n');
  await openNote(`${text}\n\n${STRANGER}\n${own}`, key);
});

test('a signature under the known name with another key id is a stranger’s', async () => {
  await openNote(withLine(signed, `\u2014 ${name} AAAAAAA=`), key);
  await assert.rejects(openNote(`text\n\n\u2014 ${name} AAAAAAA=\n`, key), { code: 'unsigned' });
});

test('one failing signature of the known key rejects the note, also beside a good one', async () => {
  const { text, signatures } = parseNote(signed);
  const [own] = signatures;
  assert.ok(own);
  for (const signature of [flipped(own.signature, 0), own.signature.slice(1), new Uint8Array(1), new Uint8Array(64)]) {
    const bad = { ...own, signature };
    await assert.rejects(openNote(formatNote({ text, signatures: [bad, own] }), key), { code: 'bad_signature' });
    await assert.rejects(openNote(formatNote({ text, signatures: [own, bad] }), key), { code: 'bad_signature' });
  }
});

test('a note without the key’s signature is unsigned', async () => {
  await assert.rejects(openNote(`text\n\n${STRANGER}\n`, key), { code: 'unsigned' });
});

test('a public key that is no point of the curve verifies nothing', async () => {
  const publicKey = new Uint8Array(32).fill(0xff);
  await assert.rejects(openNote(signed, { ...key, publicKey }), { code: 'bad_signature' });
});

test('the text may hold empty lines: the last one ends it', () => {
  const note = signNote(name, 'one\n\n\ntwo\n');
  assert.equal(parseNote(note).text, 'one\n\n\ntwo\n');
});

test('100 signatures are read, 101 are not', () => {
  assert.equal(parseNote(withLine(signed, ...Array(99).fill(STRANGER))).signatures.length, 100);
  assert.throws(() => parseNote(withLine(signed, ...Array(100).fill(STRANGER))), { code: 'malformed' });
});
const noteText = fc.string({
  maxLength: 60,
  unit: fc.oneof(fc.constant('\n'), fc.string({ unit: 'grapheme', maxLength: 1 })),
});
const signature = fc.record(
  {
    name: keyNames,
    keyId: fc.nat(2 ** 32 - 1),
    signature: fc.uint8Array({ minLength: 1, maxLength: 80 }),
  },
  { noNullPrototype: true },
);
const notes: fc.Arbitrary<Note> = fc.record(
  {
    text: noteText.map((text) => `${text.replaceAll(/(?!\n)\p{Control}/gu, '')}\n`),
    signatures: fc.array(signature, { minLength: 1, maxLength: 5 }),
  },
  { noNullPrototype: true },
);

test('what formatNote writes, parseNote reads back', () => {
  fc.assert(fc.property(notes, (note) => assert.deepEqual(parseNote(formatNote(note)), note)));
});

test('what parseNote accepts, formatNote would have written', () => {
  const broken = fc.tuple(notes, fc.nat(), fc.constantFrom('', '\n', ' ', '=', '+', '\u2014 ', 'A', '\r', '\u0000'));
  fc.assert(
    fc.property(broken, ([note, at, insert]) => {
      const text = formatNote(note);
      const cut = at % text.length;
      const changed = text.slice(0, cut) + insert + text.slice(cut + 1);
      let parsed: Note;
      try {
        parsed = parseNote(changed);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'malformed');
        return;
      }
      assert.equal(formatNote(parsed), changed);
    }),
    { numRuns: 1000 },
  );
});

const line = signed.slice(signed.indexOf('\u2014'));
const HOSTILE: Readonly<Record<string, string>> = {
  empty: '',
  'text alone': 'text\n',
  'no signature': 'text\n\n',
  'no text': `\n${line}`,
  'no final newline': signed.slice(0, -1),
  'a line after the signatures': `${signed}more\n`,
  'an empty line after the signatures': `${signed}\n`,
  'a carriage return': signed.replace('text', 'te\r\nxt'),
  'a tab': signed.replace('text', 'te\txt'),
  'a zero byte': signed.replace('text', 'te\u0000xt'),
  'a lone surrogate': signed.replace('text', 'te\ud800xt'),
  'a hyphen for the dash': signed.replace('\u2014', '-'),
  'no space after the dash': signed.replace('\u2014 ', '\u2014'),
  'two spaces': signed.replace('\u2014 ', '\u2014  '),
  'a space at the end': `${signed.slice(0, -1)} \n`,
  'no name': signed.replace(name, ''),
  'a plus in the name': signed.replace(name, 'log+example'),
  'a no-break space in the name': signed.replace(name, 'log\u00a0example'),
  'a next-line in the name': signed.replace(name, 'log\u0085example'),
  'unpadded base64': signed.replaceAll('=', ''),
  'a key id and no signature': `text\n\n\u2014 ${name} AAAAAA==\n`,
  'three bytes of signature': `text\n\n\u2014 ${name} AAAA\n`,
  'no base64': `text\n\n\u2014 ${name} \n`,
  'base64 with spare bits': `text\n\n\u2014 ${name} AAAAAAB=\n`,
  'over a million characters': `${'x'.repeat(1_000_000)}\n\n${line}`,
};

for (const [what, note] of Object.entries(HOSTILE)) {
  test(`refused: ${what}`, () =>
    assert.throws(() => parseNote(note), { name: 'VerificationError', code: 'malformed' }));
}

test('formatNote refuses what could not be read back', () => {
  const own = parseNote(signed).signatures;
  for (const note of [
    { text: '', signatures: own },
    { text: 'no newline', signatures: own },
    { text: 'a\u0007bell\n', signatures: own },
    { text: 'text\n', signatures: [] },
    { text: 'text\n', signatures: own.map((each) => ({ ...each, name: 'two words' })) },
    { text: 'text\n', signatures: own.map((each) => ({ ...each, name: 'two\nlines' })) },
    { text: 'text\n', signatures: own.map((each) => ({ ...each, signature: new Uint8Array(0) })) },
  ]) {
    assert.throws(() => formatNote(note), { code: 'malformed' });
  }
});
