import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkPolicy, openCheckpoint, openCosignature, type Policy, parsePolicy } from '@behalf/verify';
import { type LedgerOptions, policyForOthers } from '#ledger';
import { appendLeaves, EMPTY_EDGE } from '../../src/ledger/edge.ts';
import { hashLeaf } from '../../src/ledger/hash.ts';
import { type TestLog, temporaryFolder } from '../ledger/harness.ts';
import { hops } from '../ledger/observations.ts';
import { rewriteLog } from '../ledger/rewrite.ts';
import { witnessServer } from '../ledger/witness-server.ts';
import { audit, forged, publishedLog, signWithStolenKey } from './log.ts';

/** A published log that a witness knows, its server stopped. */
async function witnessedLog(t: TestContext, size: number) {
  const { log, ledger, note } = await publishedLog(t, size);
  const { verifierKey, origin } = ledger;
  const server = await witnessServer(t, 'witness.example', [verifierKey]);
  const policy: Policy = {
    logs: [],
    witnesses: [{ name: 'w', verifierKey: server.verifierKey, url: server.url }],
    groups: [],
    quorum: 'w',
  };
  const alarms: string[] = [];
  const witnessed: Partial<LedgerOptions> = {
    witnesses: { policy, required: true },
    onAlarm: (error) => alarms.push(error instanceof Error ? error.message : String(error)),
  };
  await ledger.close();
  const again = await log.open(witnessed);
  await again.append(hops(1));
  await again.close();
  const seen = (await log.reader.checkpoint())?.note ?? assert.fail();
  const strangers = parsePolicy(policyForOthers(verifierKey, policy));
  await checkPolicy(seen, strangers);
  return { log, verifierKey, origin, note, seen, server, witnessed, alarms, strangers };
}

const entriesOf = async (log: TestLog) => (await log.reader.entries(0n, 10_000)).map(({ bytes }) => bytes);

/** Replaces the log by another history, sound in itself, with a last checkpoint under the stolen key, and the signer's memory. */
async function forge(log: TestLog, origin: string, entries: readonly Uint8Array[], note?: string): Promise<string> {
  const { root } = appendLeaves(EMPTY_EDGE, entries.map(hashLeaf));
  const size = BigInt(entries.length);
  const signed = note ?? (await signWithStolenKey(log, { origin, size, root }));
  await rewriteLog(log.database, entries);
  await log.tamper('delete from behalf.checkpoint where log_id = 1');
  await log.tamper('insert into behalf.checkpoint (log_id, size, root, note) values (1, $1, $2, $3)', [
    size,
    root,
    signed,
  ]);
  return signed;
}

test('3: a history rewritten without the key is refused by the signer, and told by every stranger’s saved checkpoint', async (t) => {
  const { log, ledger, note } = await publishedLog(t, 300);
  await ledger.close();
  const entries = await entriesOf(log);
  const rewritten = entries.map((bytes, i) => (i === 7 ? forged(bytes) : bytes));
  await forge(log, ledger.origin, rewritten, note); // the old signature is all it has
  await assert.rejects(log.open(), { code: 'rewritten', message: /nothing was signed/ });
  await assert.rejects(audit(log, ledger.verifierKey), { code: 'root_mismatch' });
  assert.equal((await log.fsck(ledger.verifierKey)).firstDifference?.kind, 'checkpoint');
});

test('4: a history rewritten and signed with the stolen key is refused by the witness, and told by a saved checkpoint', async (t) => {
  const { log, origin, verifierKey, seen, witnessed, alarms, strangers } = await witnessedLog(t, 300);
  const rewritten = (await entriesOf(log)).map((bytes, i) => (i === 7 ? forged(bytes) : bytes));
  const note = await forge(log, origin, rewritten);
  await log.sound(301, verifierKey); // nothing in the database tells
  await assert.rejects(audit(log, verifierKey, seen), { code: 'consistency', message: /was rewritten/ });
  await rm(join(log.keyFolder, 'signer'), { recursive: true }); // and the thief makes the signer forget
  const thief = await log.open(witnessed);
  await thief.append(hops(1));
  await assert.rejects(thief.publish(), { code: 'unwitnessed' });
  assert.match(alarms.join('\n'), /witness w did not cosign .* it answered 422/);
  await assert.rejects(checkPolicy(note, strangers), { code: 'quorum' });
});

test('8: a tail cut off is refused by the signer; signed with the stolen key, by the witness and a saved checkpoint', async (t) => {
  const { log, origin, verifierKey, seen, server, strangers } = await witnessedLog(t, 300);
  const cut = (await entriesOf(log)).slice(0, 200);
  const note = await forge(log, origin, cut);
  await assert.rejects(log.open(), { code: 'rollback', message: /signed 301, database 200/ });
  await log.sound(200, verifierKey);
  await assert.rejects(audit(log, verifierKey, seen), { code: 'consistency', message: /it had 301 entries/ });
  for (const [old, status] of [
    [200, 409],
    [301, 400],
  ] as const) {
    const answer = await fetch(`${server.url}/add-checkpoint`, { method: 'POST', body: `old ${old}\n\n${note}` });
    assert.equal(answer.status, status);
  }
  await assert.rejects(checkPolicy(note, strangers), { code: 'quorum' });
});

test('9: a restored old backup is refused by the signer; with the signer’s memory restored too, by the witness', async (t) => {
  const { log, origin, note, witnessed, alarms, verifierKey, seen } = await witnessedLog(t, 300);
  const backup = (await entriesOf(log)).slice(0, 300);
  await forge(log, origin, backup, note);
  await assert.rejects(log.open(), { code: 'rollback', message: /restored from an older copy/ });
  await rm(join(log.keyFolder, 'signer'), { recursive: true });
  const restored = await log.open(witnessed);
  assert.match(
    alarms.join('\n'),
    /witness w did not cosign size 300: it has cosigned a larger tree, of size 301;.*set back/,
  );
  await restored.append(hops(5)); // and it goes on with new entries, past what the witness saw
  await assert.rejects(restored.publish(), { code: 'unwitnessed' });
  await restored.close();
  assert.equal((await log.reader.checkpoint())?.size, 300n);
  await assert.rejects(audit(log, verifierKey, seen), { code: 'consistency' });
});

test('10: of two copies of the database with one key, the witness cosigns one; two roots of one size prove the fork', async (t) => {
  const { log, origin, verifierKey, server, strangers, witnessed } = await witnessedLog(t, 300);
  const keyFolder = await temporaryFolder(t);
  await cp(log.keyFolder, keyFolder, { recursive: true });
  const entries = await entriesOf(log);
  const honest = await log.open(witnessed);
  await honest.append(hops(1));
  await honest.publish();
  const first = (await log.reader.checkpoint())?.note ?? '';
  await checkPolicy(first, strangers);
  await honest.close();

  const other = [...entries, forged(entries[0] ?? assert.fail())];
  const { root } = appendLeaves(EMPTY_EDGE, other.map(hashLeaf));
  const second = await signWithStolenKey({ ...log, keyFolder }, { origin, size: 302n, root });
  const answer = await fetch(`${server.url}/add-checkpoint`, { method: 'POST', body: `old 302\n\n${second}` });
  assert.equal(answer.status, 422);
  await assert.rejects(checkPolicy(second, strangers), { code: 'quorum' });
  const [a, b] = await Promise.all([first, second].map((note) => openCheckpoint(note, verifierKey)));
  assert.deepEqual([a?.size, b?.size], [302n, 302n]);
  assert.notDeepEqual(a?.root, b?.root);
});

test('15: a witness’s times never go back, whatever its clock does', async (t) => {
  const { log, ledger } = await publishedLog(t, 3);
  let now = 9_000n;
  const server = await witnessServer(t, 'witness.example', [ledger.verifierKey], { now: () => now });
  await ledger.close();
  const policy = {
    logs: [],
    witnesses: [{ name: 'w', verifierKey: server.verifierKey, url: server.url }],
    groups: [],
    quorum: 'w',
  };
  const times: bigint[] = [];
  for (const clock of [9_000n, 5n, 9_001n]) {
    now = clock;
    const again = await log.open({ witnesses: { policy, required: true } });
    await again.append(hops(1));
    await again.close();
    times.push((await openCosignature((await log.reader.checkpoint())?.note ?? '', server.verifierKey)).time);
  }
  assert.deepEqual(times, [9_000n, 9_000n, 9_001n]);
});
