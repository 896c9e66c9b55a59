import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Anomalies } from '../../src/sdk/anomalies.ts';
import { authorityClaims } from '../../src/sdk/authority.ts';
import { REFUSALS, type RefusalCode, refusal } from '../../src/sdk/refusal.ts';

const read = (claims: Record<string, unknown>) => {
  const anomalies = new Anomalies();
  return { ...authorityClaims(claims, anomalies), anomalies: anomalies.all().map(({ code }) => code) };
};

test('only the claims of the allow-list are taken', () => {
  const taken = read({
    jti: 'j',
    iss: 'i',
    email: 'dana@acme.example',
    cnf: { jkt: 'x' },
    groups: ['a'],
    scope: 'a  b',
  });
  assert.deepEqual(taken, { id: 'j', issuer: 'i', scopes: ['a', 'b'], anomalies: [] });
});

test('a claim of the wrong form or size is left out and named, never shortened', () => {
  assert.deepEqual(read({ jti: 'x'.repeat(513) }), { anomalies: ['value_too_long'] });
  assert.deepEqual(read({ iss: 7 }), { anomalies: ['value_not_text'] });
  assert.deepEqual(read({ exp: -1, iat: 1e10, nbf: '1' }), { anomalies: Array(3).fill('time_out_of_range') });
  const { scopes, anomalies } = read({ scope: Array.from({ length: 300 }, (_, index) => `s${index}`).join(' ') });
  assert.deepEqual([scopes?.length, anomalies], [256, ['list_too_long']]);
});

test('times become nanoseconds without rounding, whatever the second', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_999_999_999 }), (exp) =>
      assert.equal(read({ exp }).expiresAt, `${exp === 0 ? '' : exp}${exp === 0 ? '0' : '000000000'}`),
    ),
  );
});

test('no claims of whatever shape make it throw, and anomalies stay within what an observation takes', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('jti', 'txn', 'iss', 'aud', 'scope', 'scp', 'exp', 'azp'), fc.jsonValue()),
      (claims) => {
        assert.ok(read(claims).anomalies.length <= 32);
      },
    ),
  );
  assert.equal(read({ aud: Array(32).fill(7), iss: 7, jti: 7, txn: 7 }).anomalies.length, 32);
});

test('every refusal answers with a status, a challenge and a problem, and stands in the README', async () => {
  const readme = await readFile(join(import.meta.dirname, '..', '..', 'src', 'sdk', 'README.md'), 'utf8');
  for (const [code, { status, says }] of Object.entries(REFUSALS)) {
    const answer = refusal(code as RefusalCode, ['a', 'b']);
    assert.deepEqual(
      [answer.status, JSON.parse(answer.body).code, JSON.parse(answer.body).detail],
      [status, code, says],
    );
    // A policy's no is not for want of a credential: there is nothing to challenge for.
    assert.equal('www-authenticate' in answer.headers, status !== 503 && code !== 'policy_denied');
    assert.match(answer.headers['www-authenticate'] ?? '', /^[\x20-\x7e]*$/);
    assert.match(readme, new RegExp(`^- ${status}:[^-]*\`${code}\``, 'm'), `${code} under ${status}`);
  }
});
