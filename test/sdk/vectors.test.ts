import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'inputs', 'tokens');
const FILES = ['json_web_signature_test', 'json_web_crypto_test', 'json_web_key_test'];
const skip = !existsSync(folder) && 'the recorded tokens (Wycheproof) are not here';

interface Vector {
  readonly comment: string;
  readonly jws?: string | object;
  readonly jwe?: string | object;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface Group {
  readonly comment: string;
  readonly private?: object;
  readonly public?: object;
  readonly tests: readonly Vector[];
}

const groupsOf = (file: string): readonly Group[] =>
  JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')).testGroups;

const algorithmOf = (group: Group): unknown =>
  group.public !== undefined && 'alg' in group.public ? group.public.alg : undefined;

/** An issuer that publishes the keys of a group, as they are. */
async function publisher(t: TestContext) {
  let keys: unknown[] = [];
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const publish = ({ public: published, private: secret }: Group) => {
    const set = published ?? secret ?? {};
    keys = 'keys' in set && Array.isArray(set.keys) ? set.keys : [set];
  };
  return { publish, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys` };
}

for (const file of FILES) {
  test(`every vector of ${file} is refused with 401 or 503, recorded, and never verified`, { skip }, async (t) => {
    const { publish, url } = await publisher(t);
    let count = 0;
    for (const group of groupsOf(file)) {
      publish(group);
      const { app, behalf, receiver } = await guardedService(t, { guard: { jwksUri: url } });
      app.get('/', async () => assert.fail('a vector was let in'));
      const vectors = group.tests.flatMap(({ jws, jwe }) => [jws ?? jwe].filter((token) => typeof token === 'string'));
      for (const token of vectors.filter((text) => /^[\x21-\x7e]+$/.test(text))) {
        const { statusCode } = await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });
        assert.ok([401, 503].includes(statusCode), `${group.comment}: ${statusCode}`);
        count += 1;
      }
      await behalf.flush();
      for (const { authority, decision } of receiver.observations as readonly HopObservation[]) {
        assert.equal(decision?.outcome, 'deny');
        assert.notEqual(authority?.verification.status, 'verified');
      }
    }
    assert.ok(count > 20, `${count} vectors`);
  });
}

test('a signature that Wycheproof calls valid is never refused as invalid, one it calls invalid never gets to its claims', {
  skip,
}, async (t) => {
  const { publish, url } = await publisher(t);
  const seen = { valid: 0, invalid: 0 };
  for (const group of groupsOf('json_web_signature_test')) {
    const keys = JSON.stringify(group.public ?? {});
    if (!/"kty":"(EC|RSA)"/.test(keys)) continue;
    publish(group);
    const { app } = await guardedService(t, { guard: { jwksUri: url } });
    for (const { jws, result, comment } of group.tests) {
      if (typeof jws !== 'string' || result === 'acceptable' || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jws)) continue;
      // RFC 7517 section 4.4: a key that names another algorithm is not for this one; two figures come with such keys.
      if (JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()).alg !== algorithmOf(group)) continue;
      const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString();
      const answer = await app.inject({ url: '/', headers: { authorization: `Bearer ${jws}` } });
      const { code } = answer.json();
      if (result === 'valid') assert.ok(!['signature_invalid', 'key_unknown'].includes(code), `${comment}: ${code}`);
      else assert.ok(!['claim_missing', 'claim_malformed'].includes(code), `${comment}: ${code} ${payload}`);
      seen[result] += 1;
    }
  }
  assert.ok(seen.valid > 5 && seen.invalid > 20, JSON.stringify(seen));
});
