import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkEvidence, evidenceOfPage, parseCertificates, parseEvidence, parsePolicy } from '@behalf/verify';
import { build } from 'vite';
import { startServer } from '../../src/cli/server.ts';
import { settingsFrom } from '../../src/cli/settings.ts';
import { requestTimestamp } from '../../src/cli/timestamp.ts';
import { span, TRACE_ID, traces } from '../collector/harness.ts';
import { testDatabase } from '../database.ts';
import { witnessServer } from '../ledger/witness-server.ts';
import { openAuthority, serveAuthority, withoutOpenssl } from '../verify/tsa.ts';
import { runBehalf } from './run-behalf.ts';

/** A running server with one trace taken in and published, and a folder to write to. */
async function served(t: TestContext, environment: Readonly<Record<string, string>> = {}) {
  const database = await testDatabase(t);
  const folder = await mkdtemp(join(tmpdir(), 'behalf-evidence-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ports = { BEHALF_API_PORT: '0', BEHALF_OTLP_HTTP_PORT: '0', BEHALF_OTLP_GRPC_PORT: '0' };
  const told: string[] = [];
  const server = await startServer(
    settingsFrom({ DATABASE_URL: database.url, BEHALF_DATA_DIR: join(folder, 'data'), ...ports, ...environment }),
    (says) => told.push(says),
  );
  t.after(() => server.close());
  const send = async (id: number) => {
    const body = JSON.stringify(traces('payments', span(id, 2, { with: { 'user.id': 'dana@example.com' } })));
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(`${server.otlp?.http}/v1/traces`, { method: 'POST', headers, body })).status, 200);
    await server.settle();
  };
  await send(1);
  const at = (name: string) => join(folder, name);
  const behalf = (...argv: string[]) => runBehalf([...argv, '--url', server.apiAddress]);
  const { verifierKey } = (await (await fetch(`${server.apiAddress}/api/v1/log`)).json()) as { verifierKey: string };
  await writeFile(at('policy'), `log ${verifierKey}\nquorum none\n`);
  return {
    database,
    server,
    at,
    behalf,
    send,
    told,
    verifierKey,
    policy: parsePolicy(`log ${verifierKey}\nquorum none\n`),
  };
}

test('the evidence of a chain or an entry is written once, for its owner’s eyes, and holds; names only where they are asked for', async (t) => {
  const { at, behalf, policy } = await served(t);
  for (const [id, file] of [
    [TRACE_ID, at('chain.json')],
    ['0', at('entry.json')],
  ] as const) {
    const { status, err } = await behalf('evidence', id, '--out', file);
    assert.equal(status, 0, err);
    assert.match(err, /wrote .*npx @behalf\/verify .* --policy/);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const evidence = await readFile(file, 'utf8');
    const checked = await checkEvidence({ evidence, policy });
    assert.deepEqual([checked.entries.length, checked.disclosed], [1, []]);
    assert.doesNotMatch(evidence, /dana/);
  }
  const again = await behalf('evidence', '0', '--out', at('entry.json'));
  assert.deepEqual([again.status, /EEXIST/.test(again.err)], [1, true], again.err);
  await behalf('evidence', TRACE_ID, '--out', at('open.json'), '--disclose', 'all');
  const open = await checkEvidence({ evidence: await readFile(at('open.json'), 'utf8'), policy });
  assert.equal(open.disclosed[0]?.text, 'dana@example.com');
});

test('an .html file is the page with the same bundle in it', async (t) => {
  const { at, behalf, policy } = await served(t);
  const built = join(import.meta.dirname, '../../src/verify/dist/evidence.html');
  if (!existsSync(built))
    await build({ configFile: join(import.meta.dirname, '../../src/web/evidence/vite.config.ts'), logLevel: 'warn' });
  const { status, err } = await behalf('evidence', TRACE_ID, '--out', at('chain.html'));
  assert.equal(status, 0, err);
  assert.match(err, /opens it in a browser, and checks it with/);
  const checked = await checkEvidence({ evidence: evidenceOfPage(await readFile(at('chain.html'), 'utf8')), policy });
  assert.equal(checked.entries.length, 1);
});

test('with --timestamp an authority stamps the checkpoint, and whoever trusts it sees when', {
  skip: withoutOpenssl,
}, async (t) => {
  const { at, behalf, policy } = await served(t);
  const authority = await openAuthority(t, { key: 'P-256' });
  const address = await serveAuthority(t, authority.answer);
  const { status, err } = await behalf('evidence', TRACE_ID, '--out', at('stamped.json'), '--timestamp', address);
  assert.equal(status, 0, err);
  const authorities = parseCertificates(authority.certificate);
  const { timestamp } = await checkEvidence({
    evidence: await readFile(at('stamped.json'), 'utf8'),
    policy,
    authorities,
  });
  assert.equal(timestamp.kind, 'checked');
});

/** Something at an address that is no authority. */
async function serving(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('an authority that fails, answers garbage, or endlessly, or never, gives no timestamp, and nothing is written', async (t) => {
  const { at, behalf } = await served(t);
  const failing = await serving(t, (_, response) => response.writeHead(500).end());
  const { status, err } = await behalf('evidence', TRACE_ID, '--out', at('none.json'), '--timestamp', failing);
  assert.equal(status, 1);
  assert.match(err, /nothing was written \(unavailable\): .*expected status 200, got 500/);
  assert.equal(existsSync(at('none.json')), false);
  const stamped = new Uint8Array(3);
  const garbage = await serving(t, (_, response) => response.end('<html>'));
  await assert.rejects(requestTimestamp(garbage, stamped), { code: 'malformed' });
  const endless = await serving(t, (_, response) => {
    const more = () => response.write(Buffer.alloc(65_536)) && setImmediate(more);
    response.on('drain', more).on('error', () => undefined); // the reader hangs up, as it should
    more();
  });
  await assert.rejects(requestTimestamp(endless, stamped), { code: 'too_large' });
  const never = await serving(t, () => undefined);
  await assert.rejects(requestTimestamp(never, stamped, 50), { code: 'unavailable' });
  await assert.rejects(requestTimestamp('http://127.0.0.1:1/', stamped), { code: 'unavailable' });
  await assert.rejects(requestTimestamp('file:///etc/passwd', stamped), { name: 'UsageError' });
  const wrong = await behalf('evidence', TRACE_ID, '--out', at('none.json'), '--timestamp', 'nowhere');
  assert.deepEqual([wrong.status, /--timestamp: expected/.test(wrong.err)], [2, true]);
});

test('behalf verify holds the running log against a key, a policy with witnesses, or what it remembers', async (t) => {
  const { at, behalf, send, verifierKey } = await served(t);
  const keyed = await behalf('verify', '--key', verifierKey, '--state', at('state'));
  assert.equal(keyed.status, 0, keyed.err);
  assert.match(keyed.out, /1 entries read.*\n.*pinned by you\)\n.*no earlier checkpoint/);
  await send(2);
  const grown = await behalf('verify', '--policy', at('policy'), '--state', at('state'));
  assert.match(
    grown.out,
    /2 entries read.*\n.*as your policy names it\)\n.*no witness of the policy\n.*consistent with/,
  );
  const asking = await behalf('verify', '--json');
  assert.match(asking.err, /the verifier key comes from the server itself/);
  assert.equal(JSON.parse(asking.out).entries, '2');
  const witness = await witnessServer(t, 'witness.example', [verifierKey]);
  await writeFile(at('witnessed'), `log ${verifierKey}\nwitness w ${witness.verifierKey}\nquorum w\n`);
  const unwitnessed = await behalf('verify', '--policy', at('witnessed'));
  assert.deepEqual([unwitnessed.status, /not verified \(quorum\)/.test(unwitnessed.err)], [1, true], unwitnessed.err);
  const both = await behalf('verify', '--policy', at('policy'), '--key', verifierKey);
  assert.deepEqual([both.status, /expected --key or --policy, got both/.test(both.err)], [2, true]);
  await writeFile(at('broken'), 'log what\n');
  assert.match((await behalf('verify', '--policy', at('broken'))).err, /broken: policy line 1/);
});

test('a server that names witnesses in its environment publishes what they cosigned, and gives their policy with its evidence', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-witnessed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const logs: string[] = [];
  const witness = await witnessServer(t, 'witness.example', logs);
  const file = join(folder, 'policy');
  await writeFile(file, `witness w ${witness.verifierKey} ${witness.url}\nquorum w\n`);
  const { server, at, behalf, told, verifierKey, send } = await served(t, { BEHALF_WITNESS_POLICY: file });
  assert.match(
    told.join('\n'),
    /alarm: witness w did not cosign/,
    'it does not know the log yet, and the server says so',
  );
  logs.push(verifierKey);
  await send(2);
  const checkpoint = await (await fetch(`${server.apiAddress}/log/checkpoint`)).text();
  assert.match(checkpoint, /\n\u2014 witness\.example /);
  const { status, err } = await behalf('evidence', TRACE_ID, '--out', at('witnessed.json'));
  assert.equal(status, 0, err);
  const evidence = await readFile(at('witnessed.json'), 'utf8');
  const policy = parsePolicy(parseEvidence(evidence).policy);
  assert.deepEqual((await checkEvidence({ evidence, policy })).cosigned.length, 1);
});
