import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import {
  checkEvidence,
  checkTimestamp,
  type Evidence,
  formatEvidence,
  formatPolicy,
  formatTimestampQuery,
  parseCertificates,
  parseEvidence,
  parseTimestampAnswer,
  parseTimestampToken,
  policyOfLog,
  VerificationError,
} from '@behalf/verify';
import fc from 'fast-check';
import { formatDer, membersOf, parseDer } from '../../src/verify/der.ts';
import { flipped, numberedEntries, pathOf, referenceLog, sha } from './reference-log.ts';
import { type Authority, type AuthorityOptions, openAuthority, withoutOpenssl } from './tsa.ts';

const options = { skip: withoutOpenssl };
const log = referenceLog(numberedEntries(9));
const stamped = new TextEncoder().encode(log.note);
const now = () => BigInt(Math.floor(Date.now() / 1000));

async function stamp(authority: Authority, bytes: Uint8Array = stamped): Promise<Uint8Array> {
  const query = { imprint: new Uint8Array(sha(bytes)), nonce: new Uint8Array(randomBytes(8)) };
  return parseTimestampAnswer(await authority.answer(formatTimestampQuery(query)), query);
}

async function stampedBy(t: TestContext, how: AuthorityOptions = {}) {
  const authority = await openAuthority(t, how);
  const authorities = parseCertificates(authority.certificate);
  return { authority, authorities, token: await stamp(authority) };
}

for (const how of [
  { key: 'rsa', essDigest: 'sha256' },
  { key: 'rsa', essDigest: 'sha1' },
  { key: 'P-256' },
  { key: 'P-384' },
] as const) {
  test(`a token of OpenSSL's authority holds: ${Object.values(how).join(', ')}`, options, async (t) => {
    const from = now();
    const { token, authorities } = await stampedBy(t, { ...how, name: 'Stamps & Co' });
    const { authority, time } = await checkTimestamp({ token, stamped, authorities });
    assert.equal(authority, 'Stamps & Co');
    assert.ok(time >= from && time <= now(), String(time));
    assert.deepEqual(parseTimestampToken(token).imprint, new Uint8Array(sha(stamped)));
    const buffer = Buffer.from(token); // whose slices are no copies: reading must change nothing
    for (let i = 0; i < 2; i += 1) await checkTimestamp({ token: buffer, stamped: Buffer.from(stamped), authorities });
    assert.ok(buffer.equals(token));
  });
}

const refused = { name: 'VerificationError', code: 'timestamp' };

test('a token over something else, or by an authority nobody trusts, is refused', options, async (t) => {
  const { token, authorities, authority } = await stampedBy(t);
  const other = await stamp(authority, new TextEncoder().encode(`${log.note}x`));
  await assert.rejects(checkTimestamp({ token: other, stamped, authorities }), refused);
  await assert.rejects(checkTimestamp({ token, stamped: stamped.slice(1), authorities }), refused);
  await assert.rejects(checkTimestamp({ token, stamped, authorities: [] }), refused);
  const stranger = await stampedBy(t);
  await assert.rejects(checkTimestamp({ token, stamped, authorities: stranger.authorities }), refused);
});

test(
  'a certificate that was not valid at the time stamped, or not made for timestamps alone, is refused',
  options,
  async (t) => {
    for (const how of [
      { valid: ['20200101000000Z', '20200201000000Z'] },
      { valid: ['20990101000000Z', '20990201000000Z'] },
    ] as const) {
      const { token, authorities } = await stampedBy(t, how);
      await assert.rejects(checkTimestamp({ token, stamped, authorities }), { ...refused, message: /was not valid/ });
    }
    const { token, authorities } = await stampedBy(t);
    const [own] = authorities;
    assert.ok(own !== undefined);
    for (const purpose of ['critical,timeStamping,codeSigning', 'timeStamping', '']) {
      // OpenSSL itself stamps with none of these; a thief's program would.
      const wide = parseCertificates((await openAuthority(t, { purpose })).certificate)[0];
      assert.equal(wide?.onlyForTimestamps, false, purpose);
    }
    const wide = [{ ...own, onlyForTimestamps: false }];
    await assert.rejects(checkTimestamp({ token, stamped, authorities: wide }), { ...refused, message: /alone/ });
  },
);

test('a certificate of the same name and number with another key is not the authority', options, async (t) => {
  const { token, authorities } = await stampedBy(t);
  const stranger = await stampedBy(t);
  const [own, other] = [authorities[0], stranger.authorities[0]];
  assert.ok(own !== undefined && other !== undefined);
  const forged = { ...other, issuer: own.issuer, serial: own.serial };
  await assert.rejects(checkTimestamp({ token, stamped, authorities: [forged] }), { ...refused, message: /another/ });
  const key = { ...own, publicKey: other.publicKey };
  await assert.rejects(checkTimestamp({ token, stamped, authorities: [key] }), {
    ...refused,
    message: /does not verify/,
  });
});

test('a token with any bit flipped is refused, but in the parts that nobody signs or reads', options, async (t) => {
  const { token, authorities } = await stampedBy(t, { key: 'P-256' });
  const unread: number[] = [];
  for (let bit = 0; bit < 8 * token.length; bit += 1) {
    try {
      await checkTimestamp({ token: flipped(token, bit), stamped, authorities });
      unread.push(bit >> 3);
    } catch (error) {
      assert.ok(error instanceof VerificationError, `bit ${bit}: ${error}`);
    }
  }
  // The version, the list of digests, and the certificate that comes along: the caller's own is the one that counts.
  const signer = Buffer.from(token).lastIndexOf(Buffer.from(authorities[0]?.der ?? assert.fail()).subarray(-8)) + 8;
  const content = Buffer.from(token).indexOf(Buffer.from('060b2a864886f70d0109100104', 'hex'));
  const inSigned = unread.filter((byte) => byte >= signer || (byte >= content && byte < content + 100));
  assert.deepEqual(
    inSigned.filter((byte) => byte < content + 100),
    [],
  );
  assert.ok(inSigned.length <= 8, `bytes of the signer that nobody reads: ${inSigned}`);
});

test('an answer that refuses, is to another request, or is none at all gives no token', options, async (t) => {
  const authority = await openAuthority(t);
  const query = { imprint: new Uint8Array(sha(stamped)), nonce: new Uint8Array(randomBytes(8)) };
  const answer = await authority.answer(formatTimestampQuery(query));
  const nonce = new Uint8Array(randomBytes(8));
  assert.throws(() => parseTimestampAnswer(answer, { ...query, nonce }), refused);
  assert.throws(() => parseTimestampAnswer(answer, { ...query, imprint: new Uint8Array(32) }), refused);
  const rejection = await authority.answer(new Uint8Array([0x30, 0x03, 0x02, 0x01, 0x01]));
  assert.throws(() => parseTimestampAnswer(rejection, query), { ...refused, message: /refused, with status 2/ });
  assert.throws(() => parseTimestampAnswer(new Uint8Array(0), query), { code: 'malformed' });
});

test(
  'a bundle may carry a timestamp: unchecked where no authority is named, demanded where one is',
  options,
  async (t) => {
    const { token, authorities } = await stampedBy(t);
    const proof = pathOf(log.leaves, 7).map((hash) => new Uint8Array(hash));
    const entries = [{ index: 7n, entry: 'leaf 7', proof }];
    const policy = policyOfLog(log.verifierKey);
    const plain: Evidence = { checkpoint: log.note, entries, disclosures: [], policy: formatPolicy(policy) };
    const bundle: Evidence = { ...plain, timestamp: token };
    const evidence = formatEvidence(bundle);
    assert.deepEqual(parseEvidence(evidence), bundle);
    const { time } = parseTimestampToken(token);
    assert.deepEqual((await checkEvidence({ evidence, policy })).timestamp, { kind: 'unchecked', time });
    assert.deepEqual((await checkEvidence({ evidence, policy, authorities })).timestamp, {
      kind: 'checked',
      authority: 'Test authority',
      time,
    });
    const without = formatEvidence(plain);
    assert.deepEqual((await checkEvidence({ evidence: without, policy })).timestamp, { kind: 'none' });
    await assert.rejects(checkEvidence({ evidence: without, policy, authorities }), refused);
    const other = referenceLog(numberedEntries(10));
    const path = pathOf(other.leaves, 7).map((hash) => new Uint8Array(hash));
    const moved = { ...bundle, checkpoint: other.note, entries: [{ index: 7n, entry: 'leaf 7', proof: path }] };
    await assert.rejects(checkEvidence({ evidence: formatEvidence(moved), policy, authorities }), refused);
  },
);

test('whatever bytes are given, they are read as DER that formats back to itself, or refused', () => {
  const rewrite = (bytes: Uint8Array): Uint8Array => {
    const { tag, content } = parseDer(bytes);
    const members = (tag & 0x20) === 0 ? undefined : membersOf(parseDer(bytes));
    return formatDer(tag, ...(members === undefined ? [content] : members.map((member) => rewrite(member.bytes))));
  };
  const leaf = fc
    .tuple(fc.constantFrom(1, 2, 4, 6, 23, 24), fc.uint8Array({ maxLength: 300 }))
    .map(([tag, bytes]) => formatDer(tag, bytes));
  const { tree } = fc.letrec<{ tree: Uint8Array }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('tree'), { maxLength: 5 }).map((parts) => formatDer(0x30, ...parts)),
    ),
  }));
  const change = fc.tuple(fc.nat(), fc.nat(255), fc.boolean());
  fc.assert(
    fc.property(tree, fc.option(change), (good, changed) => {
      const bytes = good.slice();
      if (changed !== null) bytes[changed[0] % bytes.length] = changed[1];
      const given = changed?.[2] ? bytes.slice(0, -1) : bytes;
      try {
        assert.deepEqual(rewrite(given), given);
      } catch (error) {
        assert.ok(error instanceof VerificationError, String(error));
        assert.notEqual(changed, null, 'what formatDer wrote is read');
      }
    }),
    { numRuns: 3000 },
  );
});

test(
  'whatever bytes are given, they are read as a token, an answer and certificates, or refused',
  options,
  async (t) => {
    const authority = await openAuthority(t);
    const query = { imprint: new Uint8Array(sha(stamped)), nonce: new Uint8Array(randomBytes(8)) };
    const answer = await authority.answer(formatTimestampQuery(query));
    const token = parseTimestampAnswer(answer, query);
    const pem = new TextEncoder().encode(authority.certificate);
    const readers: readonly (readonly [Uint8Array, (bytes: Uint8Array) => unknown])[] = [
      [token, parseTimestampToken],
      [answer, (bytes) => parseTimestampAnswer(bytes, query)],
      [pem, (bytes) => parseCertificates(new TextDecoder().decode(bytes))],
    ];
    for (const [good, read] of readers) {
      const at = fc.nat(good.length - 1);
      fc.assert(
        fc.property(at, at, fc.uint8Array({ maxLength: 4 }), (from, to, replacement) => {
          const [start, end] = [Math.min(from, to), Math.min(Math.max(from, to), Math.min(from, to) + 9)];
          const bytes = new Uint8Array(Buffer.concat([good.subarray(0, start), replacement, good.subarray(end)]));
          try {
            read(bytes);
          } catch (error) {
            assert.ok(error instanceof VerificationError, String(error));
          }
        }),
        { numRuns: 1500 },
      );
    }
  },
);
