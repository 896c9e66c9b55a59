import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatVerifierKey } from '@behalf/verify';
import type { ExternalSigner, KeySource } from '#ledger';
import { ExternalKey } from '../../src/ledger/external-signer.ts';
import { SigningKey } from '../../src/ledger/signing-key.ts';
import { temporaryFolder, testLog } from './harness.ts';
import { hops } from './observations.ts';

const ORIGIN = 'log.example/external';
const KEY = new SigningKey(new Uint8Array(32).fill(1));
const OTHER = new SigningKey(new Uint8Array(32).fill(2));
const TEXT = `${ORIGIN}\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`;
const base64 = async (key: SigningKey, signed: string) => Buffer.from(await key.sign(signed)).toString('base64');

type Answering = (signed: string, response: ServerResponse, request: IncomingMessage) => unknown;

/** A signer behind an address, answering as told. */
async function address(t: TestContext, answer: Answering) {
  const server = createServer(async (request, response) => answer(await text(request), response, request));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const at = server.address();
  return `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}/sign`;
}

const keyBehind = (signer: ExternalSigner, timeoutMs = 3000) =>
  new ExternalKey({ signer, publicKey: KEY.publicKey, timeoutMs });

test('an address is given the exact text and its token, and its signature is taken', async (t) => {
  const heard: unknown[] = [];
  const url = await address(t, async (signed, response, { headers, method }) => {
    heard.push([signed, method, headers['content-type'], headers.authorization]);
    response.end(await base64(KEY, signed));
  });
  const signature = await keyBehind({ kind: 'url', url, token: 'secret' }).sign(TEXT);
  assert.deepEqual(signature, await KEY.sign(TEXT));
  assert.deepEqual(heard, [[TEXT, 'POST', 'text/plain; charset=utf-8', 'Bearer secret']]);
});

const LIES: readonly (readonly [what: string, answer: Answering, says: RegExp])[] = [
  ['another key’s signature', async (signed, response) => response.end(await base64(OTHER, signed)), /does not verify/],
  ['a signature of another text', async (_, response) => response.end(await base64(KEY, 'x\n')), /does not verify/],
  ['nothing', (_, response) => response.end(), /something other than 64 bytes/],
  ['garbage', (_, response) => response.end('<html>'), /something other than 64 bytes/],
  ['two lines', async (signed, response) => response.end(`${await base64(KEY, signed)}\nx`), /something other than/],
  ['500', (_, response) => response.writeHead(500).end('secret'), /answered 500;/],
  ['403', (_, response) => response.writeHead(403).end('secret'), /answered 403;/],
  [
    'a redirection',
    (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
    /gave no answer;/,
  ],
  ['too much', (_, response) => response.end('A'.repeat(10_000)), /more than 4096 bytes/],
  [
    'without end',
    (_, response) => void setInterval(() => response.write('A'), 1).unref(),
    /(no answer within 500 ms|more than 4096)/,
  ],
  ['never', () => undefined, /no answer within 500 ms/],
  ['by hanging up', (_, response) => response.destroy(), /gave no answer;/],
];

for (const [what, answer, says] of LIES) {
  test(`an address that answers ${what} gives no signature, and its answer is not repeated`, async (t) => {
    const url = await address(t, answer);
    await assert.rejects(keyBehind({ kind: 'url', url }, 500).sign(TEXT), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'unsigned');
      assert.match(error.message, says);
      assert.match(error.message, /nothing was signed; it is asked again/);
      assert.doesNotMatch(error.message, /secret|127\.0\.0\.1/);
      return true;
    });
  });
}

test('an address where nobody is gives no signature', async () => {
  await assert.rejects(keyBehind({ kind: 'url', url: 'http://127.0.0.1:9/' }).sign(TEXT), { code: 'unsigned' });
});

/** A command that runs this as a script, with the text as `signed` and the keys as `KEY` and `OTHER`. */
async function script(t: TestContext, body: string): Promise<string> {
  const file = join(await temporaryFolder(t), 'signer.mjs');
  writeFileSync(
    file,
    `import { createPrivateKey, sign } from 'node:crypto';
    const key = (byte) => createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]), format: 'der', type: 'pkcs8' });
    const signed = await new Response(process.stdin).text();
    const answer = (byte) => sign(null, Buffer.from(signed), key(byte)).toString('base64');
    ${body}`,
  );
  return `'${process.execPath}' '${file}'`;
}

test('a command is given the exact text on its input, and its signature is taken', async (t) => {
  const command = await script(t, 'console.log(answer(1))');
  assert.deepEqual(
    Buffer.from(await keyBehind({ kind: 'command', command }).sign(TEXT)),
    Buffer.from(await KEY.sign(TEXT)),
  );
});

for (const [what, body, says] of [
  ['answers another key’s signature', 'console.log(answer(2))', /does not verify/],
  ['answers nothing', '', /something other than 64 bytes/],
  [
    'answers without end',
    `for (;;) await new Promise((done) => process.stdout.write('A'.repeat(1000), done))`,
    /more than 4096 bytes/,
  ],
  ['fails after a good answer', 'console.log(answer(1)); process.exitCode = 3', /ended with status 3/],
  ['is killed', `process.kill(process.pid, 'SIGKILL')`, /ended with (signal SIGKILL|status 137)/],
] as const) {
  test(`a command that ${what} gives no signature`, async (t) => {
    const command = await script(t, body);
    await assert.rejects(keyBehind({ kind: 'command', command }).sign(TEXT), { code: 'unsigned', message: says });
  });
}

test('a command that hangs is ended after its time with all that it started', async (t) => {
  const file = join(await temporaryFolder(t), 'pid');
  const command = `sleep 60 & echo $! > '${file}'; wait`;
  await assert.rejects(keyBehind({ kind: 'command', command }, 700).sign(TEXT), {
    code: 'unsigned',
    message: /gave no answer within 700 ms/,
  });
  const pid = readFileSync(file, 'utf8').trim();
  for (let round = 0; isAlive(pid); round += 1) {
    assert.ok(round < 300, 'what it started lives on');
    await sleep(10);
  }
});

function isAlive(pid: string): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}

test('a command that is not there gives no signature', async () => {
  await assert.rejects(keyBehind({ kind: 'command', command: '/nowhere/at/all 2>/dev/null' }).sign(TEXT), {
    code: 'unsigned',
    message: /ended with status 127/,
  });
});

test('a whole log is signed by an address that is gone, lies and comes back: observations are taken in all the while', async (t) => {
  const log = await testLog(t);
  let mood: 'good' | 'lies' | 'gone' = 'good';
  const url = await address(t, async (signed, response) => {
    if (mood === 'gone') return response.destroy();
    return response.end(await base64(mood === 'good' ? KEY : OTHER, signed));
  });
  const verifierKey = KEY.verifierKey(ORIGIN);
  const key: KeySource = { kind: 'external', signer: { kind: 'url', url }, verifierKey };
  const ledger = await log.open({ key });
  assert.deepEqual([ledger.origin, ledger.verifierKey], [ORIGIN, verifierKey]);
  await ledger.append(hops(3));
  await ledger.publish();
  for (mood of ['lies', 'gone'] as const) {
    await ledger.append(hops(3));
    await assert.rejects(ledger.publish(), { code: 'unsigned' });
  }
  assert.equal((await log.reader.checkpoint())?.size, 3n);
  mood = 'gone';
  const alarms: unknown[] = [];
  const second = await log.open({ key, onAlarm: (error) => alarms.push(error) }); // a start without it is a start
  await second.append(hops(1));
  assert.equal(alarms.length, 1);
  mood = 'good';
  await second.publish();
  await ledger.publish();
  await log.sound(10, verifierKey);
});

test('a log is not signed by a signer that is another log’s', async (t) => {
  const log = await testLog(t);
  const signer = { kind: 'url', url: 'http://127.0.0.1:9/' } as const;
  const key = (name: string, public_ = KEY): KeySource => ({
    kind: 'external',
    signer,
    verifierKey: public_.verifierKey(name),
  });
  await assert.rejects(log.open({ key: key(ORIGIN), origin: 'log.example/mine' }), { code: 'mismatch' });
  const alarms: unknown[] = [];
  await log.open({ key: key(ORIGIN), onAlarm: (error) => alarms.push(error) });
  await assert.rejects(log.open({ key: key('log.example/other') }), { code: 'mismatch' });
  await assert.rejects(log.open({ key: key(ORIGIN, OTHER) }), {
    code: 'mismatch',
    message: /own key folder or signer/,
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test('openssl is a signer in one line', { skip: hasOpenssl ? false : 'openssl is not on this machine' }, async (t) => {
  const folder = await temporaryFolder(t);
  const pem = join(folder, 'key.pem');
  execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', pem]);
  const publicKey = createPublicKey(createPrivateKey(readFileSync(pem)))
    .export({ type: 'spki', format: 'der' })
    .subarray(-32);
  // openssl wants to know how long its input is, and a pipe does not say.
  const command = `f=$(mktemp) && trap 'rm -f "$f"' EXIT && cat > "$f" && openssl pkeyutl -sign -rawin -inkey '${pem}' -in "$f" | base64 -w0`;
  const log = await testLog(t);
  const verifierKey = formatVerifierKey(ORIGIN, publicKey);
  const ledger = await log.open({ key: { kind: 'external', signer: { kind: 'command', command }, verifierKey } });
  await ledger.append(hops(4));
  await ledger.publish();
  await log.sound(4, verifierKey);
});
