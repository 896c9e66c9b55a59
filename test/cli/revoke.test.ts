import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { buildCollector } from '#collector';
import type { FindingsAnswer, PartiesAnswer } from '#query';
import { parseArguments, UsageError } from '../../src/cli/command.ts';
import { revoke } from '../../src/cli/revoke.ts';
import { delegatedCall, digest } from '../chains/entries.ts';
import { observationsOf, testApi } from '../query/api.ts';

const GATEWAY = 'service|https://idp|gateway';
const BEFORE = '2026-01-01T00:00:00Z';

/** A server with its collector, and the command against it. */
async function server(t: TestContext) {
  const api = await testApi(t);
  const collector = buildCollector({ ledger: api.ledger, idKey: new Uint8Array(32) });
  t.after(() => collector.close());
  const url = await collector.listen({ host: '127.0.0.1', port: 0 });
  let out = '';
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    err: () => {},
    color: false,
    environment: {},
  };
  const run = (argv: readonly string[]) => {
    out = '';
    return revoke.run(parseArguments(revoke, [...argv, '--collector', url]), terminal);
  };
  const found = async () => {
    const { findings } = await api.get<FindingsAnswer>('/api/v1/findings?finding=after_offboarding');
    return findings.map(({ finding }) => finding.says);
  };
  const caughtUp = async () => api.projection.caughtUp((await api.ledger.publish()).size);
  return { api, run, found, caughtUp, out: () => out };
}

test('a party that is revoked is found acting afterwards, and no more once it is restored', async (t) => {
  const { api, run, found, out } = await server(t);
  assert.equal(await run([GATEWAY, '--at', BEFORE, '--reason', 'left', '--json']), 0);
  assert.deepEqual(Object.keys(JSON.parse(out())), ['id', 'effect']);
  await api.take(observationsOf(delegatedCall().all));
  assert.match((await found())[0] ?? '', /for service gateway after its offboarding/);
  const { parties } = await api.get<PartiesAnswer>('/api/v1/parties');
  assert.equal(parties.find(({ key }) => key === GATEWAY)?.revokedAt, '1767225600000000000');
  const before = (await found()).length;
  assert.equal(await run([GATEWAY, '--restore', '--at', '2026-01-02T00:00:00Z']), 0);
  const later = observationsOf(delegatedCall(undefined, 2).all).map((each, i) => ({
    ...each,
    id: `019a0000-0000-7000-9000-${String(i).padStart(12, '0')}`,
  }));
  await api.take(later);
  assert.equal((await found()).length, before);
});

test('a person is revoked by name, and stands in the log as a reference', async (t) => {
  const { api, run, found } = await server(t);
  assert.equal(await run(['user|https://idp|dana', '--at', BEFORE]), 0);
  await api.take(observationsOf(delegatedCall().all));
  assert.match((await found())[0] ?? '', /for user dana after its offboarding/);
  const { rows } = await api.database
    .pool('reader')
    .query<{ row: string }>('select t::text as row from behalf.party_fact t');
  assert.doesNotMatch(JSON.stringify(rows), /dana/);
});

test('a token is revoked by its digest, also after it was used', async (t) => {
  const { api, run, found, caughtUp } = await server(t);
  await api.take(observationsOf(delegatedCall().all));
  assert.deepEqual(await found(), []);
  assert.equal(await run([digest('T31'), '--at', BEFORE]), 0);
  await caughtUp();
  assert.match((await found())[0] ?? '', /with token [0-9a-f]{12}… after its revocation/);
});

test('what is no party and no digest is not sent, and a token is not repeated', async (t) => {
  const { run } = await server(t);
  for (const word of ['eyJhbGciOi.eyJzdWIi.sig', 'gateway', 'robot|https://idp|x', 'service|https://idp|'])
    await assert.rejects(
      async () => run([word]),
      (error) => error instanceof UsageError && !error.message.includes('eyJ') && /64 hex digits/.test(error.message),
    );
  await assert.rejects(async () => run([GATEWAY, '--at', 'yesterday']), /--at: expected RFC 3339/);
});
