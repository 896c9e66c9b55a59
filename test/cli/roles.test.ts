import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fsck } from '#ledger';
import { openLogReader } from '#ledger/read';
import { UsageError } from '../../src/cli/command.ts';
import { parseRoles, type Role } from '../../src/cli/roles.ts';
import { type Server, startServer } from '../../src/cli/server.ts';
import { settingsFrom } from '../../src/cli/settings.ts';
import { span, spanId, TRACE_ID, traces } from '../collector/harness.ts';
import { testDatabase } from '../database.ts';

/** Starts servers that share a database and a key folder, as the processes of one installation do. */
async function installation(t: TestContext) {
  const database = await testDatabase(t);
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-roles-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const settings = settingsFrom({
    DATABASE_URL: database.url,
    BEHALF_DATA_DIR: dataDir,
    BEHALF_API_PORT: '0',
    BEHALF_OTLP_HTTP_PORT: '0',
    BEHALF_OTLP_GRPC_PORT: '0',
  });
  const start = async (...roles: readonly Role[]): Promise<Server> => {
    const server = await startServer(settings, () => {}, new Set(roles));
    t.after(() => server.close());
    return server;
  };
  return { database, start };
}

const post = (server: Server, ...spans: Parameters<typeof traces>[1][]) =>
  fetch(`${server.otlp?.http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(traces('payments', ...spans)),
  });
const get = async (server: Server, path: string) => {
  const answer = await fetch(`${server.apiAddress}${path}`);
  return { status: answer.status, text: await answer.text() };
};

test('roles are taken apart, and one that is none is named', () => {
  assert.deepEqual([...parseRoles('query, project')], ['query', 'project']);
  assert.equal(parseRoles(undefined).size, 4);
  for (const given of ['', 'collector', 'collect,']) {
    assert.throws(
      () => parseRoles(given),
      (error) => error instanceof UsageError && /expected some of collect,query,project,publish/.test(error.message),
    );
  }
});

test('one process collects, another answers, a third signs: together they are one server', async (t) => {
  const { start } = await installation(t);
  const collecting = await start('collect');
  assert.equal((await post(collecting, span(1, 2, { with: { 'user.id': 'dana' } }))).status, 200);
  const signing = await start('publish');
  const answering = await start('query', 'project');
  assert.deepEqual([signing.otlp, answering.otlp], [undefined, undefined]);
  await signing.settle();
  await answering.settle();
  const { status, text } = await get(answering, `/api/v1/chains/${TRACE_ID}`);
  assert.equal(status, 200, text);
  assert.match(text, /dana/);
  assert.equal((await get(answering, '/readyz')).status, 200);
  assert.equal((await get(answering, '/log/checkpoint')).status, 200);
  assert.equal((await get(collecting, '/api/v1/chains')).status, 404);
  for (const server of [collecting, signing]) {
    const ready = await get(server, '/readyz');
    assert.deepEqual(
      [ready.status, JSON.parse(ready.text)],
      [200, { ready: true, database: 'answers', trouble: null }],
    );
  }
  assert.equal(JSON.parse((await get(collecting, '/api/v1/senders')).text).senders[0].accepted, 1);
  assert.match((await get(collecting, '/metrics')).text, /^behalf_log_size 1$/m);
  assert.match((await get(answering, '/metrics')).text, /^behalf_projection_size 1$/m);
});

test('a server that only answers says what is missing when there is no log yet', async (t) => {
  const { start } = await installation(t);
  await assert.rejects(start('query'), /there is no log yet; start a server with role collect or publish first/);
});

test('closing answers what was taken in: every success is in the log, under a checkpoint, and nothing else is', async (t) => {
  const { database, start } = await installation(t);
  const server = await start('collect', 'publish');
  const sent = Array.from({ length: 40 }, async (_, i) => {
    const answer = await post(server, span(i + 1, 2)).catch(() => undefined);
    return answer?.status === 200 ? spanId(i + 1) : undefined;
  });
  await Promise.race(sent);
  await server.close();
  const acknowledged = (await Promise.all(sent)).filter((id) => id !== undefined);
  assert.ok(acknowledged.length > 0);
  const log = openLogReader({ database, logId: 1 });
  const { size } = await log.log();
  const entries = (await log.entries(0n, 1000)).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()));
  const stored = new Set(entries.map((entry) => entry.trace.spanId));
  for (const id of acknowledged) assert.ok(stored.has(id), `${id} was acknowledged and is not in the log`);
  assert.equal((await log.checkpoint())?.size, size);
  assert.equal((await fsck({ database, logId: 1 })).ok, true);
});

test('while it drains a server says that it is not ready, takes in what has begun, and stores it', async (t) => {
  const { database, start } = await installation(t);
  const server = await start('collect', 'publish');
  const body = JSON.stringify(traces('payments', span(7, 2)));
  const sending = request(`${server.otlp?.http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  const answered = once(sending, 'response');
  await new Promise<void>((sent) => void sending.write(body.slice(0, 40), () => sent()));
  assert.equal((await get(server, '/readyz')).status, 200);
  const closed = server.close();
  const { status, text } = await get(server, '/readyz');
  assert.deepEqual([status, JSON.parse(text).trouble], [503, 'the server is stopping']);
  sending.end(body.slice(40));
  const [answer] = await answered;
  assert.equal(answer.statusCode, 200);
  answer.resume();
  await closed;
  assert.equal((await openLogReader({ database, logId: 1 }).checkpoint())?.size, 1n);
});
