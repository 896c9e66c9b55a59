import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  checkEvidence,
  type Evidence,
  formatEvidence,
  formatPolicy,
  openDisclosure,
  parseEvidence,
  policyOfLog,
  VerificationError,
} from '@behalf/verify';
import fc from 'fast-check';
import { cosigner } from './cosigner.ts';
import { flipped, pathOf, referenceLog } from './reference-log.ts';
import { padded, sealWith } from './sealed.ts';

const origin = 'log.example/behalf';
const keys = [randomBytes(32), randomBytes(32)] as const;
const sealed = [sealWith(keys[0], origin, 'alice@example'), sealWith(keys[1], origin, 'bob')] as const;
const texts = Array.from({ length: 300 }, (_, i) => `{"n":${i}}`);
texts[7] = JSON.stringify({ subject: { ref: 'p_1', sealed: sealed[0] }, actors: [{ sealed: sealed[1] }] });
texts[8] = 'not JSON at all: \u00e9\u{1f600}"\\';
const log = referenceLog(
  texts.map((text) => Buffer.from(text)),
  origin,
);
const witness = cosigner('witness.example');
const policy = {
  ...policyOfLog(log.verifierKey),
  witnesses: [{ name: 'w', verifierKey: witness.verifierKey }],
  quorum: 'w',
};

const proven = (index: number) => ({
  index: BigInt(index),
  entry: texts[index] as string,
  proof: pathOf(log.leaves, index).map((hash) => new Uint8Array(hash)),
});
const evidence: Evidence = {
  checkpoint: witness.cosign(log.note, 99n),
  entries: [proven(7), proven(8), proven(299)],
  disclosures: [{ sealed: sealed[0], key: new Uint8Array(keys[0]) }],
  policy: formatPolicy(policy),
};
const file = formatEvidence(evidence);
const check = (changed: Partial<Evidence>) =>
  checkEvidence({ evidence: formatEvidence({ ...evidence, ...changed }), policy });

test('a bundle establishes its entries, its checkpoint, who cosigned it, and what is disclosed', async () => {
  const checked = await checkEvidence({ evidence: file, policy });
  assert.equal(checked.checkpoint.size, 300n);
  assert.equal(checked.verifierKey, log.verifierKey);
  assert.deepEqual(checked.cosigned, [{ witness: 'w', time: 99n }]);
  assert.deepEqual(
    checked.entries,
    [7, 8, 299].map((index) => ({ index: BigInt(index), entry: texts[index] })),
  );
  assert.deepEqual(checked.disclosed, [{ sealed: sealed[0], text: 'alice@example', index: 7n }]);
  assert.deepEqual(parseEvidence(file), evidence);
});

test('the bundle is canonical JSON, and nothing else is read', () => {
  const value = JSON.parse(file);
  assert.deepEqual(Object.keys(value), Object.keys(value).toSorted());
  const other = { ...value, format: 'behalf-evidence@v2' };
  const more = { ...value, zz: 1 };
  const index = { ...value, entries: [{ ...value.entries[0], index: '07' }] };
  for (const text of [
    `${file}\n`,
    ` ${file}`,
    JSON.stringify(value, null, 1),
    JSON.stringify(other),
    JSON.stringify(more),
    JSON.stringify(index),
    JSON.stringify({ ...value, entries: value.entries.toReversed() }),
    JSON.stringify({ ...value, entries: [] }),
    JSON.stringify({ ...value, entries: [value.entries[0], value.entries[0]] }),
    JSON.stringify({ ...value, checkpoint: 'x' }),
    JSON.stringify({ ...value, policy: 'quorum' }),
    JSON.stringify({ ...value, disclosures: {} }),
    JSON.stringify([value]),
    file.replace('"format"', '"\\u0066ormat"'),
    'null',
    '',
  ]) {
    assert.throws(
      () => parseEvidence(text),
      (error) => error instanceof VerificationError && error.code === 'malformed',
    );
  }
});

test('a bundle beyond 64 Mi characters is refused before it is parsed', () => {
  assert.throws(() => parseEvidence('['.repeat(64 * 2 ** 20 + 1)), { code: 'too_large' });
});

test('a changed entry, index, hash or signature is refused', async () => {
  await assert.rejects(check({ entries: [{ ...proven(7), entry: `${texts[7]} ` }] }), { code: 'inclusion' });
  await assert.rejects(check({ entries: [{ ...proven(7), index: 6n }] }), { code: 'inclusion' });
  await assert.rejects(check({ entries: [{ ...proven(7), index: 300n }] }), { code: 'malformed' });
  const { proof, ...rest } = proven(299);
  for (let at = 0; at < proof.length; at += 1) {
    const changed = proof.map((hash, i) => (i === at ? flipped(hash, 77) : hash));
    await assert.rejects(check({ entries: [{ ...rest, proof: changed }] }), { code: 'inclusion' });
  }
  await assert.rejects(check({ checkpoint: log.note }), { code: 'quorum' });
  await assert.rejects(check({ checkpoint: evidence.checkpoint.replace('\n300\n', '\n301\n') }), {
    code: 'bad_signature',
  });
});

test('the policy inside the bundle proves nothing: another log’s bundle with its own policy is refused', async () => {
  const other = referenceLog([Buffer.from('forged')], 'forger.example');
  const forged = formatEvidence({
    checkpoint: other.note,
    entries: [{ index: 0n, entry: 'forged', proof: [] }],
    disclosures: [],
    policy: formatPolicy(policyOfLog(other.verifierKey)),
  });
  await assert.rejects(checkEvidence({ evidence: forged, policy }), { code: 'unsigned' });
});

test('a disclosure opens its own value and no other, and no second key opens it', async () => {
  const [own, other] = [new Uint8Array(keys[0]), new Uint8Array(keys[1])];
  assert.equal(await openDisclosure({ sealed: sealed[0], key: own }, origin), 'alice@example');
  const refused = { name: 'VerificationError', code: 'disclosure' };
  await assert.rejects(openDisclosure({ sealed: sealed[1], key: own }, origin), refused);
  await assert.rejects(openDisclosure({ sealed: sealed[0], key: other }, origin), refused);
  await assert.rejects(openDisclosure({ sealed: sealed[0], key: own }, 'other.example'), refused);
  await assert.rejects(openDisclosure({ sealed: sealed[0], key: own.slice(1) }, origin), refused);
  const bytes = new Uint8Array(Buffer.from(sealed[0], 'base64url'));
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    if (bit >= 8 && bit < 8 * 17) continue; // the salt makes the key; whoever has the key needs it no more
    const altered = Buffer.from(flipped(bytes, bit)).toString('base64url');
    await assert.rejects(openDisclosure({ sealed: altered, key: own }, origin), refused);
  }
});

test('a sealed value that stands in no entry of the bundle is refused, its salt changed too', async () => {
  const stray = sealWith(keys[0], origin, 'mallory');
  await assert.rejects(check({ disclosures: [{ sealed: stray, key: keys[0] }] }), { code: 'disclosure' });
  await assert.rejects(check({ entries: [proven(8)] }), { code: 'disclosure' });
});

test('padding that its writer would not have made is refused', async () => {
  const [key] = keys;
  const dirty = padded('bob');
  dirty[31] = 1;
  const long = Buffer.alloc(64);
  long.writeUInt16BE(3);
  const beyond = Buffer.alloc(32);
  beyond.writeUInt16BE(31);
  const notText = padded('bob');
  notText[3] = 0xff;
  for (const plaintext of [dirty, long, beyond, notText]) {
    const value = sealWith(key, origin, '', plaintext);
    await assert.rejects(openDisclosure({ sealed: value, key }, origin), { code: 'disclosure' });
  }
});

test('whatever bytes are given, they are read as a bundle that formats back to itself, or refused', () => {
  const at = fc.nat(file.length - 1);
  fc.assert(
    fc.property(at, at, fc.string({ unit: 'binary', maxLength: 4 }), (from, to, replacement) => {
      const text = `${file.slice(0, Math.min(from, to))}${replacement}${file.slice(Math.max(from, to))}`;
      try {
        assert.equal(formatEvidence(parseEvidence(text)), text);
      } catch (error) {
        assert.ok(error instanceof VerificationError, String(error));
      }
    }),
    { numRuns: 1500 },
  );
});

test('the evidence of one entry at a billion entries is at most 3 kB beyond the entry', () => {
  const proof = Array.from({ length: 30 }, () => new Uint8Array(randomBytes(32)));
  const one = { index: 999_999_999n, entry: texts[7] as string, proof };
  const size = Buffer.byteLength(formatEvidence({ ...evidence, entries: [one], disclosures: [] }));
  assert.ok(size - Buffer.byteLength(JSON.stringify(texts[7])) <= 3000, String(size));
});
