import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatVerifierKey, parseVerifierKey, verifierKeyId } from '@behalf/verify';
import fc from 'fast-check';
import { keyNames } from './key-names.ts';
import { rawPublicKey, verifierKeyOf } from './reference-log.ts';

// https://c2sp.org/signed-note@v1.0.0 and golang.org/x/mod/sumdb/note
const PUBLISHED = [
  'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  'witness.example/w1+cc9a7044+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', // a witness's
];

for (const key of PUBLISHED) {
  test(`the published key of ${key.split('+')[0]} is read and written back`, () => {
    const { name, keyId, type, publicKey } = parseVerifierKey(key);
    assert.equal(type, name.startsWith('witness') ? 'cosignature' : 'ed25519');
    assert.equal(formatVerifierKey(name, publicKey, type), key);
    assert.equal(keyId, Number.parseInt(key.split('+')[1] ?? '', 16));
    assert.equal(verifierKeyId(name, publicKey, type), keyId);
  });
}

test('a key written with node:crypto is written the same here', () => {
  assert.equal(formatVerifierKey('log.example/x', rawPublicKey), verifierKeyOf('log.example/x'));
});

test('what formatVerifierKey writes, parseVerifierKey reads back, plus signs in its base64 and all', () => {
  const types = fc.constantFrom('ed25519' as const, 'cosignature' as const);
  fc.assert(
    fc.property(keyNames, fc.uint8Array({ minLength: 32, maxLength: 32 }), types, (given, publicKey, type) => {
      const parsed = parseVerifierKey(formatVerifierKey(given, publicKey, type));
      assert.deepEqual(parsed, { name: given, keyId: verifierKeyId(given, publicKey, type), type, publicKey });
    }),
  );
});

const [KEY = ''] = PUBLISHED;
const ofType = (type: number): string =>
  `example.com/foo+530d903a+${Buffer.concat([Buffer.of(type), rawPublicKey]).toString('base64')}`;
const HOSTILE: Readonly<Record<string, string>> = {
  empty: '',
  'no plus': 'example.com/foo',
  'one plus': 'example.com/foo+530d903a',
  'no name': KEY.slice(KEY.indexOf('+')),
  'another key id': KEY.replace('530d903a', '530d903b'),
  'another name': KEY.replace('foo', 'bar'),
  'a capital in the key id': KEY.replace('530d903a', '530D903A'),
  'a short key id': KEY.replace('530d903a', '530d903'),
  'another key type': ofType(6),
  'a witness’s type under the log’s key id': ofType(4),
  'a short key': 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=',
  'no key': 'example.com/foo+530d903a+',
  'a newline at the end': `${KEY}\n`,
  'a space in the name': KEY.replace('example', 'exam ple'),
  'a private key': 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QID4nrF+6UvHK5gI5bAPNH8k',
};

for (const [what, key] of Object.entries(HOSTILE)) {
  test(`refused: ${what}`, () => {
    assert.throws(() => parseVerifierKey(key), { name: 'VerificationError', code: 'malformed' });
  });
}

test('a public key has 32 bytes and a name has no plus', () => {
  assert.throws(() => formatVerifierKey('a', new Uint8Array(31)), { code: 'malformed' });
  assert.throws(() => formatVerifierKey('a+b', new Uint8Array(32)), { code: 'malformed' });
  assert.throws(() => verifierKeyId('', new Uint8Array(32)), { code: 'malformed' });
});
