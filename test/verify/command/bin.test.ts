import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatEvidence, formatPolicy, type Policy, policyOfLog } from '@behalf/verify';
import { cosigner } from '../cosigner.ts';
import {
  checkpointText,
  numberedEntries,
  pathOf,
  type ReferenceLog,
  referenceLog,
  signNote,
  writeBundles,
} from '../reference-log.ts';

const BIN = join(import.meta.dirname, '../../../src/verify/command/bin.ts');

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as a program of its own, with a state folder of its own. */
async function command(t: TestContext, policy: Policy) {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-verify-bin-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const policyFile = join(folder, 'policy');
  await writeFile(policyFile, formatPolicy(policy));
  const run = (args: readonly string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { ...process.env, XDG_STATE_HOME: join(folder, 'state'), NODE_OPTIONS: '' };
      execFile(process.execPath, [BIN, ...args], { env }, (error, out, err) =>
        resolve({ status: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  return {
    folder,
    policyFile,
    run,
    verify: (target: string, ...more: string[]) => run([target, '--policy', policyFile, ...more]),
  };
}

/** Serves the log's files as they stand at each request. */
async function serving(t: TestContext, log: () => ReferenceLog): Promise<string> {
  const server = createServer((request, response) => {
    const body = log().files.get(request.url?.replace('/log/', '') ?? '');
    if (body === undefined) response.writeHead(404).end();
    else response.end(body);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`;
}

test('a whole log is verified by several threads, and remembered only when everything held', async (t) => {
  let log = referenceLog(numberedEntries(3000));
  const { verify } = await command(t, policyOfLog(log.verifierKey));
  const url = await serving(t, () => log);
  const first = await verify(url, '--threads', '3');
  assert.equal(first.status, 0, first.err);
  assert.match(first.out, /^verified: log\.example\/behalf\n {2}3000 entries read/);
  assert.match(first.out, /no checkpoint was remembered/);

  log = referenceLog(numberedEntries(3300));
  const grown = await verify(url, '--json');
  const { entries, previousSize, checkpoint } = JSON.parse(grown.out);
  assert.deepEqual([entries, previousSize, checkpoint.size], ['3300', '3000', '3300']);

  const rewritten = numberedEntries(3400);
  rewritten[5] = Buffer.from('another past');
  log = referenceLog(rewritten);
  const caught = await verify(url);
  assert.deepEqual([caught.status, caught.out], [1, '']);
  assert.match(caught.err, /^not verified \(consistency\): the log was rewritten/);
  log = referenceLog(numberedEntries(10));
  assert.match((await verify(url)).err, /the log went back: it had 3300 entries/);
  log = referenceLog(numberedEntries(3400));
  assert.equal((await verify(url)).status, 0, 'what did not hold was not remembered');
});

test('a changed entry fails with the first bad index, whichever thread read it', async (t) => {
  const log = referenceLog(numberedEntries(3000));
  const { verify } = await command(t, policyOfLog(log.verifierKey));
  const url = await serving(t, () => log);
  const entries = numberedEntries(3000);
  for (const index of [2999, 1300, 700]) entries[index] = Buffer.from('forged');
  writeBundles(log.files, entries);
  const { status, out, err } = await verify(url, '--threads', '4');
  assert.deepEqual([status, out], [1, '']);
  assert.match(err, /^not verified \(entry_mismatch, first bad index 700\): entry 700/);
});

test('an empty log, a log nobody answers for and one that answers garbage fail', async (t) => {
  let log = referenceLog([]);
  const { verify } = await command(t, policyOfLog(log.verifierKey));
  const url = await serving(t, () => log);
  assert.match((await verify(url)).err, /^not verified \(empty_log\)/);
  log = { ...log, files: new Map([['checkpoint', new Uint8Array([60, 104, 116, 109, 108, 62])]]) };
  assert.match((await verify(url)).err, /^not verified \(malformed\)/);
  assert.match((await verify('http://127.0.0.1:1/')).err, /^not verified \(unavailable\)/);
});

test('a bundle is verified offline, compared with the tree seen before, and a fork is told', async (t) => {
  const log = referenceLog(numberedEntries(300));
  const witness = cosigner('witness.example');
  const policy = {
    ...policyOfLog(log.verifierKey),
    witnesses: [{ name: 'w', verifierKey: witness.verifierKey }],
    quorum: 'w',
  };
  const { folder, verify, run } = await command(t, policy);
  const path = join(folder, 'entry.evidence.json');
  const proof = pathOf(log.leaves, 7).map((hash) => new Uint8Array(hash));
  const bundle = {
    checkpoint: witness.cosign(log.note, 1_793_439_700n),
    entries: [{ index: 7n, entry: 'leaf 7', proof }],
    disclosures: [],
    policy: formatPolicy(policy),
  };
  await writeFile(path, formatEvidence(bundle));
  const first = await verify(path);
  assert.equal(first.status, 0, first.err);
  assert.match(first.out, /cosigned by w, 2026-10-31T09:41:40\.000Z/);
  assert.match(first.out, /entry 7: leaf 7\n$/);
  assert.match((await verify(path)).out, /it is the tree this machine saw before/);

  const without = join(folder, 'without');
  await writeFile(without, formatEvidence({ ...bundle, checkpoint: log.note }));
  assert.match((await verify(without)).err, /^not verified \(quorum\)/);

  const forked = witness.cosign(signNote(log.origin, checkpointText(log.origin, 300, log.leaves[0] as Buffer)));
  const [state = ''] = await readdir(join(folder, 'state/behalf-verify'));
  const remembered = await readFile(join(folder, 'state/behalf-verify', state), 'utf8');
  assert.equal(remembered, bundle.checkpoint);
  await writeFile(join(folder, 'state/behalf-verify', state), forked);
  assert.match((await verify(path)).err, /^not verified \(consistency\): .*a fork/);
  assert.equal((await verify(path, '--no-state')).status, 0);

  await truncate(path, 2 ** 30);
  assert.match((await verify(path)).err, /^not verified \(too_large\)/);
  assert.match((await run([path])).err, /^expected --policy/);
});

test('nothing in an entry steers the terminal', async (t) => {
  const log = referenceLog([Buffer.from('\u001b]0;title\u0007 \u202e')]);
  const { folder, verify } = await command(t, policyOfLog(log.verifierKey));
  const path = join(folder, 'bundle');
  const entries = [{ index: 0n, entry: '\u001b]0;title\u0007 \u202e', proof: [] }];
  await writeFile(path, formatEvidence({ checkpoint: log.note, entries, disclosures: [], policy: 'quorum none\n' }));
  const { status, out } = await verify(path);
  assert.equal(status, 0);
  assert.doesNotMatch(out, /[^\n\P{C}]/u);
});

test('the command line is refused with what it takes, and help is an answer', async (t) => {
  const { run, policyFile } = await command(t, policyOfLog(referenceLog([]).verifierKey));
  for (const args of [
    [],
    ['a', 'b', '--policy', policyFile],
    ['a', '--threads', '0', '--policy', policyFile],
    ['a', '--what'],
  ]) {
    const { status, err } = await run(args);
    assert.equal(status, 2, args.join(' '));
    assert.match(err, /npx @behalf\/verify <log address/);
  }
  const help = await run(['--help']);
  assert.deepEqual([help.status, help.err], [0, '']);
  assert.match((await run(['a', '--policy', '/does/not/exist'])).err, /^not verified: ENOENT/);
});
