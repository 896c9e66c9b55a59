import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { proveConsistency, tileHashReader } from '@behalf/verify';
import { delegatedCall } from '../chains/entries.ts';
import { temporaryFolder } from '../ledger/harness.ts';
import { hops } from '../ledger/observations.ts';
import { witnessServer } from '../ledger/witness-server.ts';
import { observationsOf, testApi } from '../query/api.ts';
import { flipped, numberedEntries, type ReferenceLog, referenceLog, verifierKeyOf } from '../verify/reference-log.ts';

/* golang.org/x/mod/sumdb, the Go checksum database's own note and tlog, from Debian's golang-golang-x-mod-dev. */
const GOPATH = '/usr/share/gocode';
const ENVIRONMENT = { ...process.env, GO111MODULE: 'off', GOPATH, GOFLAGS: '' };
const hasPackage = spawnSync('go', ['list', 'golang.org/x/mod/sumdb/tlog'], { env: ENVIRONMENT }).status === 0;
const options = {
  skip: hasPackage ? false : 'Go, or its golang.org/x/mod in /usr/share/gocode, is not on this machine',
};

interface Ran {
  readonly held: Readonly<Record<string, number>> | undefined;
  readonly says: string;
}

/** Builds the program, and has it verify what is asked. */
async function goVerifier(t: TestContext): Promise<(request: object) => Promise<Ran>> {
  const program = join(await temporaryFolder(t), 'verify-log');
  const source = join(import.meta.dirname, 'verify-log.go');
  await new Promise<void>((resolve, reject) =>
    execFile('go', ['build', '-o', program, source], { env: ENVIRONMENT }, (error, _, says) =>
      error === null ? resolve() : reject(new Error(says)),
    ),
  );
  return (request) =>
    new Promise((resolve) => {
      const child = execFile(program, (error, out, says) =>
        resolve({ held: error === null ? JSON.parse(out) : undefined, says }),
      );
      child.stdin?.end(JSON.stringify(request));
    });
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

test(
  'Go’s own note and tlog verify our served log: signature, every entry, every tile, our proofs',
  options,
  async (t) => {
    const verify = await goVerifier(t);
    const { app, ledger, take, get } = await testApi(t);
    await take(observationsOf(delegatedCall().all));
    const old = await app.inject('/log/checkpoint');
    const [, oldSize = '', oldRoot = ''] = old.body.split('\n');
    await take(hops(700));
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const size = BigInt((await get<{ published: string }>('/api/v1/log')).published);
    const root = Buffer.from((await app.inject('/log/checkpoint')).body.split('\n')[2] ?? '', 'base64');
    const readTile = async (tile: { level: number; index: bigint; width: number }) => {
      const partial = tile.width === 256 ? '' : `.p/${tile.width}`;
      const path = `/log/tile/${tile.level}/${String(tile.index).padStart(3, '0')}${partial}`;
      return new Uint8Array((await app.inject(path)).rawPayload);
    };
    const read = tileHashReader({ size, root, readTile });
    const consistency = [
      {
        Size: Number(oldSize),
        Root: oldRoot,
        Proof: (await proveConsistency({ size1: BigInt(oldSize), size2: size, read })).map(base64),
      },
    ];
    const inclusion = [];
    for (const index of [0n, 10n, 255n, 256n, 511n, 512n, size - 1n]) {
      const entry = (await app.inject(`/api/v1/entries/${index}`)).rawPayload;
      inclusion.push({ Entry: base64(entry), Proof: (await app.inject(`/api/v1/entries/${index}/proof`)).body });
    }
    const asked = {
      Log: `${address}/log`,
      VerifierKey: ledger.verifierKey,
      Inclusion: inclusion,
      Consistency: consistency,
    };
    const { held, says } = await verify(asked);
    assert.deepEqual(held, { entries: Number(size), tiles: 4, cosigned: 0, inclusion: 7, consistency: 1 }, says);

    const refused = async (changed: object, why: RegExp) => {
      const ran = await verify({ ...asked, ...changed });
      assert.deepEqual([ran.held, why.test(ran.says)], [undefined, true], ran.says);
    };
    await refused({ VerifierKey: verifierKeyOf(ledger.origin) }, /no verifiable signatures/);
    await refused({ Inclusion: [{ ...inclusion[0], Entry: base64(Buffer.from('forged')) }] }, /inclusion of 0/);
    await refused({ Consistency: [{ ...consistency[0], Root: base64(Buffer.alloc(32)) }] }, /consistency from/);
  },
);

test('Go counts our witness’s cosignatures, and refuses every kind of forged tile and bundle', options, async (t) => {
  const verify = await goVerifier(t);
  let log: ReferenceLog = referenceLog(numberedEntries(700));
  const witness = await witnessServer(t, 'witness.example/own', [log.verifierKey]);
  const answer = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body: `old 0\n\n${log.note}` });
  log.files.set('checkpoint', new TextEncoder().encode(log.note + (await answer.text())));
  const server = createServer((request, response) => {
    const body = log.files.get(request.url?.slice(1) ?? '');
    if (body === undefined) response.writeHead(404).end();
    else response.end(body);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const asked = {
    Log: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    VerifierKey: log.verifierKey,
    Witnesses: [{ Name: 'own', VerifierKey: witness.verifierKey }],
  };
  const { held, says } = await verify(asked);
  assert.deepEqual(held, { entries: 700, tiles: 4, cosigned: 1, inclusion: 0, consistency: 0 }, says);
  const sound = log;
  for (const [path, body] of sound.files) {
    if (path === 'checkpoint') continue;
    log = { ...sound, files: new Map(sound.files).set(path, flipped(body, 8 * 40)) };
    assert.equal((await verify(asked)).held, undefined, path);
  }
});
