import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { parseVerifierKey } from '@behalf/verify';
import { type Server, startServer } from '../../src/cli/server.ts';
import { settingsFrom } from '../../src/cli/settings.ts';
import { SigningKey } from '../../src/ledger/signing-key.ts';
import { span, traces } from '../collector/harness.ts';
import { testDatabase } from '../database.ts';

const SECRET = 'ab'.repeat(32);
const noProcFs = process.platform === 'linux' ? false : 'looks into /proc, which is not here';
const BEHALF = join(import.meta.dirname, '..', '..', 'src', 'cli', 'behalf.ts');

/** Runs the command as a person would. */
async function behalf(argv: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--conditions=behalf-source', BEHALF, ...argv], {
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const [out, err, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { out, err, status };
}

async function folder(t: TestContext) {
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-keys-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  return { dataDir, environment: { BEHALF_DATA_DIR: dataDir } };
}

const send = (server: Server, n: number) =>
  fetch(`${server.otlp?.http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(traces('payments', span(n, n + 1))),
  });

test('make makes a key once, for its owner alone, and neither it nor show prints the private half', async (t) => {
  const { dataDir, environment } = await folder(t);
  const file = join(dataDir, 'keys', 'signer.key');
  const none = await behalf(['keys', 'show'], environment);
  assert.deepEqual([none.status, /behalf keys make makes it now/.test(none.err)], [1, true]);
  const made = await behalf(['keys', 'make', '--origin', 'log.example/one'], environment);
  assert.equal(made.status, 0, made.err);
  assert.equal(parseVerifierKey(made.out.trim()).name, 'log.example/one');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const again = await behalf(['keys', 'make'], environment);
  assert.deepEqual([again.status, /there already.*keys rotate/.test(again.err)], [1, true]);
  const shown = await behalf(['keys', 'show', '--origin', 'log.example/one'], environment);
  assert.match(shown.out, /signs; private half in .*signer\.key\n/);
  assert.ok(shown.out.startsWith(made.out.trim()));
  const secret = (await readFile(file, 'utf8')).trim();
  for (const each of [made, again, shown]) assert.ok(!`${each.out}${each.err}`.includes(secret));
  const aside = await behalf(['keys', 'make', '--out', join(dataDir, 'other.key')], environment);
  assert.match(aside.out, /^public key [A-Za-z0-9+/]{43}=\n$/);
  const base64 = aside.out.trim().slice('public key '.length);
  const named = await behalf(['keys', 'show', '--public', base64, '--origin', 'log.example/two'], environment);
  assert.equal(parseVerifierKey(named.out.trim()).name, 'log.example/two');
});

test('a key that others may read is refused with the command to run', async (t) => {
  const { dataDir, environment } = await folder(t);
  await behalf(['keys', 'make'], environment);
  await chmod(join(dataDir, 'keys', 'signer.key'), 0o644);
  const { status, err } = await behalf(['keys', 'show'], environment);
  assert.deepEqual([status, /mode is 644, expected 600.*chmod 600 .*signer\.key/.test(err)], [1, true], err);
});

for (const [what, argv, environment, says] of [
  ['neither make, show nor rotate', ['keys', 'burn'], {}, /expected make, show or rotate/],
  ['no word', ['keys'], {}, /expected <make\|show\|rotate>/],
  ['a name that no key may have', ['keys', 'make', '--origin', 'a b'], {}, /--origin: key name/],
  ['a window beyond ten years', ['keys', 'rotate', '--overlap', '3651'], {}, /--overlap: expected a number of days/],
  ['a public key that is none', ['keys', 'show', '--public', 'AAAA', '--origin', 'a'], {}, /expected the 32 bytes/],
  [
    'garbage for a key',
    ['keys', 'show'],
    { BEHALF_SIGNING_KEY: 'hunter2-hunter2' },
    /expected 64 hex digits .* got 15 characters/,
  ],
  ['two keys', ['keys', 'show'], { BEHALF_SIGNING_KEY: '1', BEHALF_SIGNER_URL: '2' }, /expected one of them/],
  ['a signer in clear', ['keys', 'show'], { BEHALF_SIGNER_URL: 'http://signer.example/' }, /expected an https address/],
  [
    'a signer with a password',
    ['keys', 'show'],
    { BEHALF_SIGNER_URL: 'https://a:hunter2@b/' },
    /without name and password/,
  ],
  [
    'a signer without its key',
    ['keys', 'show'],
    { BEHALF_SIGNER_COMMAND: 'sign hunter2' },
    /BEHALF_SIGNER_KEY: expected the verifier key/,
  ],
] as const) {
  test(`${what} is status 2, says what was expected and repeats no secret`, async (t) => {
    const own = await folder(t);
    const { status, err } = await behalf(argv, { ...own.environment, ...environment });
    assert.equal(status, 2, err);
    assert.match(err, says);
    assert.doesNotMatch(err, /hunter2/);
  });
}

test('rotate hands the log of a running server over, and whoever pinned the old key follows it with verify', async (t) => {
  const database = await testDatabase(t);
  const { dataDir, environment } = await folder(t);
  const own = { ...environment, DATABASE_URL: database.url };
  const ports = { BEHALF_API_PORT: '0', BEHALF_OTLP_HTTP_PORT: '0', BEHALF_OTLP_GRPC_PORT: '0' };
  const server = await startServer(settingsFrom({ ...own, ...ports }), () => {});
  t.after(() => server.close());
  await send(server, 1);
  await server.settle();
  const old = (await behalf(['keys', 'show'], own)).out.split('\n')[0] ?? '';
  const state = join(dataDir, 'seen');
  const url = ['--url', server.apiAddress];
  const before = await behalf(['verify', '--key', old, '--state', state, ...url], own);
  assert.equal(before.status, 0, before.err);
  const rotated = await behalf(['keys', 'rotate', '--overlap', '0'], own);
  assert.equal(rotated.status, 0, rotated.err);
  assert.match(rotated.err, /entry 1 hands the log over, signed by the key before: .*\nthe old key is destroyed/s);
  const next = rotated.out.trim();
  await send(server, 3);
  await server.settle();
  const ready = JSON.parse(await (await fetch(`${server.apiAddress}/readyz`)).text());
  assert.deepEqual([ready.projection.size, ready.projection.unread], ['3', '0'], 'a hand-over stands in no chain');
  const shown = await behalf(['keys', 'show'], own);
  assert.match(shown.out, /^.*\n {2}signs; .*\nsigned last: .*, size 3\n$/);
  assert.ok(shown.out.startsWith(`${next}\n`));
  for (const key of [old, next]) {
    const checked = await behalf(['verify', '--key', key, '--state', state, ...url], own);
    assert.equal(checked.status, 0, checked.err);
    assert.equal(checked.err.includes(`pin the new key too: --key '${next}'`), key === old, checked.err);
    assert.equal((await behalf(['fsck', '--key', key], own)).status, 0);
  }
  const stranger = new SigningKey(new Uint8Array(32).fill(3)).verifierKey(parseVerifierKey(old).name);
  assert.notEqual((await behalf(['verify', '--key', stranger, ...url], own)).status, 0);
});

test('fsck holds the log against a folder of checkpoints kept aside, and an empty one is no success', async (t) => {
  const database = await testDatabase(t);
  const { dataDir, environment } = await folder(t);
  const anchors = join(dataDir, 'aside');
  const own = { ...environment, DATABASE_URL: database.url };
  const ports = { BEHALF_API_PORT: '0', BEHALF_OTLP_HTTP_PORT: '0', BEHALF_OTLP_GRPC_PORT: '0' };
  const server = await startServer(
    settingsFrom({ ...own, ...ports, BEHALF_ANCHOR_DIR: anchors, BEHALF_ANCHOR_SECONDS: '1' }),
    () => {},
  );
  await send(server, 1);
  await server.close();
  const good = await behalf(['fsck', '--anchors', anchors], own);
  assert.deepEqual(
    [good.status, /grew out of each of the \d checkpoints/.test(good.out)],
    [0, true],
    good.err + good.out,
  );
  const empty = await behalf(['fsck', '--anchors', dataDir, '--json'], own);
  assert.equal(empty.status, 1, empty.err);
  const { anchors: told } = JSON.parse(empty.out);
  assert.deepEqual([told.ok, told.checkpoints, told.firstDifference.kind], [false, '0', 'anchor']);
});

test('a window keeps the old key beside the new one, and show tells until when', async (t) => {
  const database = await testDatabase(t);
  const { environment } = await folder(t);
  const own = { ...environment, DATABASE_URL: database.url };
  const rotated = await behalf(['keys', 'rotate', '--overlap', '2'], own); // a log is opened for it
  assert.equal(rotated.status, 0, rotated.err);
  const { out } = await behalf(['keys', 'show'], own);
  assert.match(
    out,
    /signs; .*signer\.key\n.*signs beside, until its window is over; .*signer\.key\.before\nboth sign until 20/s,
  );
  const checked = await behalf(['fsck', '--key', rotated.out.trim()], own);
  assert.match(checked.out, /^sound: 1 entries/, checked.err); // nothing is projected yet, which it tells as well
});

test('a key in the environment is not handed over here, and no file of it is made', async (t) => {
  const database = await testDatabase(t);
  const { dataDir, environment } = await folder(t);
  const own = { ...environment, DATABASE_URL: database.url, BEHALF_SIGNING_KEY: SECRET };
  const refused = await behalf(['keys', 'rotate'], own);
  assert.deepEqual([refused.status, /only a key that Behalf keeps/.test(refused.err)], [1, true], refused.err);
  assert.ok(!`${refused.out}${refused.err}`.includes(SECRET));
  await assert.rejects(stat(join(dataDir, 'keys', 'signer.key')), { code: 'ENOENT' });
});

test('a key in the environment signs, and no process that the server starts inherits it', {
  skip: noProcFs,
}, async (t) => {
  const database = await testDatabase(t);
  const { environment } = await folder(t);
  const ports = { BEHALF_API_PORT: '0', BEHALF_OTLP_HTTP_PORT: '0', BEHALF_OTLP_GRPC_PORT: '0' };
  const server = spawn(process.execPath, ['--conditions=behalf-source', BEHALF, 'serve'], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      ...environment,
      ...ports,
      DATABASE_URL: database.url,
      BEHALF_SIGNING_KEY: SECRET,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(async () => {
    const ended = new Promise((resolve) => server.on('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  });
  let told = '';
  for await (const chunk of server.stderr) {
    told += chunk;
    if (/query API and page on (\S+)/.test(told)) break;
  }
  const children = childrenOf(server.pid);
  assert.ok(children.length > 0, 'the server started no signer');
  for (const pid of children) {
    const inherited = await readFile(`/proc/${pid}/environ`, 'utf8');
    assert.ok(inherited.includes('BEHALF_DATA_DIR') && !inherited.includes('BEHALF_SIGNING_KEY'));
  }
  const { rows } = await database.pool('reader').query('select origin, verifier_key from behalf.log where log_id = 1');
  const own = new SigningKey(Buffer.from(SECRET, 'hex'));
  assert.equal(rows[0].verifier_key, own.verifierKey(rows[0].origin));
  assert.ok(!told.includes(SECRET));
});

function childrenOf(pid: number | undefined): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((word) => word !== '');
}
