import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { buildCollector } from '#collector';
import type { Database } from '#database';
import { fsck, openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { testDatabase } from '../database.ts';
import { collectorOf, inProtobuf, PROTOBUF, span, traces } from './harness.ts';

/** A whole server's way in: a ledger of its own over a database that others may share, and a collector that listens. */
async function listening(t: TestContext, database: Database, keyFolder: string): Promise<string> {
  const ledger = await openLedger({ database, keyFolder, onAlarm: assert.ifError });
  t.after(() => ledger.close());
  const app = buildCollector({ ledger, idKey: new Uint8Array(32) });
  t.after(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}

test('eight writers of one trace at two servers, agents and persons mixed, are all taken whole and stored once', async (t) => {
  const database = await testDatabase(t);
  const keyFolder = await mkdtemp(join(tmpdir(), 'behalf-faults-'));
  t.after(() => rm(keyFolder, { recursive: true, force: true }));
  const servers = [await listening(t, database, keyFolder), await listening(t, database, keyFolder)];
  // Every writer sends every span, each in an order of its own: the persons are introduced in eight orders at once.
  const spans = Array.from({ length: 64 }, (_, i) =>
    span(i + 1, 2 + (i % 2), { with: { 'user.id': `person ${i % 23}`, 'gen_ai.agent.name': `agent ${i % 7}` } }),
  );
  const writer = async (w: number) => {
    const own = spans.map((_, i) => spans[(i * 13 + w * 17) % spans.length] ?? {});
    for (let from = 0; from < own.length; from += 16) {
      const body = JSON.stringify(traces('desk', ...own.slice(from, from + 16)));
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${servers[w % 2]}/v1/traces`, { method: 'POST', body, headers });
      assert.deepEqual([answer.status, await answer.text()], [200, '{}']);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, w) => writer(w)));
  assert.equal((await openLogReader({ database, logId: 1 }).log()).size, 64n);
  assert.equal((await fsck({ database, logId: 1 })).ok, true);
});

/** A collector that cuts senders off after a moment, and how a raw connection to it is opened. */
async function impatient(t: TestContext, requestTimeoutMs: number) {
  const { ledger, observations, accounting } = collectorOf(t);
  const app = buildCollector({ ledger, accounting, maxBytesInFlight: 1_000 }, { requestTimeoutMs });
  t.after(() => app.close());
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const post = () =>
    fetch(`http://127.0.0.1:${port}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': PROTOBUF },
      body: inProtobuf('traces', traces('payments', span(1, 2))),
    });
  return { open: () => connect(port, '127.0.0.1'), post, observations };
}

for (const [what, sent] of [
  ['headers', 'POST /v1/traces HTTP/1.1\r\nhost: x\r\n'],
  ['body', `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: 900\r\n\r\n0123456789`],
  [
    'chunks',
    `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`,
  ],
] as const) {
  test(`a sender whose ${what} do not come to an end is cut off without a success, and its room is free again`, async (t) => {
    const { open, post, observations } = await impatient(t, 400);
    const socket = open();
    socket.write(sent);
    const answer = await text(socket);
    assert.match(answer, /^HTTP\/1\.1 4\d\d |^$/);
    assert.equal(observations.length, 0);
    assert.equal((await post()).status, 200);
  });
}

test('a sender that dies in the middle of its body leaves nothing behind', async (t) => {
  const { open, post, observations } = await impatient(t, 60_000);
  for (let i = 0; i < 20; i += 1) {
    const socket = open();
    await new Promise((resolve) =>
      socket.write(
        `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: 900\r\n\r\nabc`,
        resolve,
      ),
    );
    socket.destroy();
  }
  for (let status = 429; status !== 200; status = (await post()).status) assert.ok([200, 429].includes(status));
  assert.equal(observations.length, 1);
});
