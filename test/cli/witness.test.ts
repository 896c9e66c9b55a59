import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { formatAddCheckpoint, openCosignature } from '@behalf/verify';
import { numberedEntries, referenceLog, subproofOf } from '../verify/reference-log.ts';
import { runBehalf, startBehalf } from './run-behalf.ts';

async function folderWith(t: TestContext, policy: string): Promise<{ folder: string; policy: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-witness-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'policy'), policy);
  return { folder, policy: join(folder, 'policy') };
}

/** Starts `behalf witness`, and stops it as an operator would. */
async function witness(t: TestContext, folder: string, policy: string) {
  const named = ['--name', 'witness.example/one', '--policy', policy, '--data', join(folder, 'data'), '--port', '0'];
  const child = startBehalf(['witness', ...named]);
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const [, address = ''] = /^witness (\S+)$/.exec((await lines.next()).value ?? '') ?? [];
  const verifierKey = (await lines.next()).value ?? '';
  const stop = async (): Promise<number | null> => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    return (await exited)[0];
  };
  return { address, verifierKey, stop };
}

test('behalf witness says its address and key, cosigns what grew, and remembers it over a restart', async (t) => {
  const entries = numberedEntries(40);
  const [log, grown, other] = [
    referenceLog(entries.slice(0, 30)),
    referenceLog(entries),
    referenceLog(entries.with(3, Buffer.from('rewritten'))),
  ];
  const { folder, policy } = await folderWith(t, `log ${log.verifierKey}\nquorum none\n`);
  const first = await witness(t, folder, policy);
  const offer = (address: string, oldSize: bigint, to: typeof log) => {
    const proof = oldSize === 0n ? [] : subproofOf(to.leaves, Number(oldSize)).map((hash) => new Uint8Array(hash));
    const body = formatAddCheckpoint({ oldSize, proof, checkpoint: to.note });
    return fetch(`${address}/add-checkpoint`, { method: 'POST', body });
  };
  const answer = await offer(first.address, 0n, log);
  const { checkpoint } = await openCosignature(log.note + (await answer.text()), first.verifierKey);
  assert.equal(checkpoint.size, 30n);
  assert.equal(await first.stop(), 0);

  const second = await witness(t, folder, policy);
  assert.equal(second.verifierKey, first.verifierKey);
  assert.equal((await offer(second.address, 0n, other)).status, 409);
  assert.equal((await offer(second.address, 30n, other)).status, 422);
  assert.equal((await offer(second.address, 30n, grown)).status, 200);
  assert.equal(await second.stop(), 0);
});

test('behalf witness says what it needs, with status 2', async (t) => {
  const { folder, policy } = await folderWith(t, 'quorum none\n');
  const data = ['--data', join(folder, 'data')];
  for (const [argv, says] of [
    [[], /--name: expected a value/],
    [['--name', 'w'], /--policy: expected a value/],
    [['--name', 'w', '--policy', policy, ...data], /expected at least one line "log <vkey>"/],
  ] as const) {
    const { status, err } = await runBehalf(['witness', ...argv]);
    assert.deepEqual([status, says.test(err)], [2, true], err);
  }
});
