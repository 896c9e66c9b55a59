import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { Accounting, buildCollector } from '#collector';
import { fsck, openLedger } from '#ledger';
import { openLogReader } from '#ledger/read';
import { parseEntry } from '#observation';
import { testDatabase } from '../database.ts';

/** Deno's OpenTelemetry is Rust's, not JavaScript's: another language's encoder, batching and retries. */
const deno = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'deno');
const skip = existsSync(deno) ? false : 'Deno is not installed (npm i deno)';

const PROGRAM = `
const server = Deno.serve({ port: 0, hostname: '127.0.0.1', onListen() {} }, () => new Response('paid'));
await (await fetch('http://127.0.0.1:' + server.addr.port + '/pay')).text();
await server.shutdown();
`;

/** A collector before a real ledger, listening. */
async function listening(t: TestContext) {
  const database = await testDatabase(t);
  const keyFolder = await mkdtemp(join(tmpdir(), 'behalf-deno-'));
  t.after(() => rm(keyFolder, { recursive: true, force: true }));
  const ledger = await openLedger({ database, keyFolder, onAlarm: assert.ifError });
  t.after(() => ledger.close());
  const accounting = new Accounting();
  const app = buildCollector({ ledger, accounting });
  t.after(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, database, ledger, accounting };
}

for (const protocol of ['http/protobuf', 'http/json'] as const) {
  test(`Deno over ${protocol}: both sides of a call are in the log, joined by parentage`, { skip }, async (t) => {
    const { url, database, ledger, accounting } = await listening(t);
    const environment = {
      OTEL_DENO: 'true',
      OTEL_SERVICE_NAME: 'payments',
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_METRICS_EXPORTER: 'none',
    };
    const running = promisify(execFile)(deno, ['run', '--no-lock', '--no-config', '--allow-net', '-'], {
      env: { ...process.env, ...environment, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
      timeout: 60_000,
    });
    running.child.stdin?.end(PROGRAM);
    await running;
    assert.equal(accounting.account.rejected, 0);
    const entries = await openLogReader({ database, logId: ledger.logId }).entries(0n, 10);
    const hops = entries.map(({ bytes }) => parseEntry(bytes)).flatMap((each) => (each.kind === 'hop' ? [each] : []));
    const [caller, callee] = ['caller', 'callee'].map((side) => hops.find((hop) => hop.side === side));
    assert.equal(hops.length, 2);
    assert.deepEqual(
      hops.map(({ reporter }) => reporter.service),
      ['payments', 'payments'],
    );
    assert.equal(callee?.trace?.traceId, caller?.trace?.traceId);
    assert.equal(callee?.trace?.parentSpanId, caller?.trace?.spanId);
    assert.equal((await fsck({ database, logId: ledger.logId })).ok, true);
  });
}
