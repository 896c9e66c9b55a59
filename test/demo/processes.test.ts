import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { startService } from '../../src/demo/processes.ts';

const PLANNER = {
  file: 'planner.ts',
  args: { issuer: 'http://127.0.0.1:9', payments: 'http://127.0.0.1:9' },
  secret: 's',
};
const QUIET = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a service says where it listens, answers there, and is gone once stopped', async () => {
  const service = await startService({ ...PLANNER, environment: QUIET });
  const answer = await fetch(`${service.url}/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"invoice":"x"}',
  });
  await answer.body?.cancel();
  assert.equal(answer.status, 401);
  assert.ok(isAlive(service.pid));
  await service.stop();
  assert.equal(isAlive(service.pid), false);
});

test('a service that cannot start says why', async () => {
  await assert.rejects(startService({ file: 'planner.ts', secret: 's' }), /planner.ts did not start: [\s\S]*--issuer/);
});

test('a service ends when its parent is killed', async (t) => {
  const parent = spawn(
    process.execPath,
    ['--conditions=behalf-source', '--input-type=module', '--eval', parentProgram],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } },
  );
  t.after(() => parent.kill('SIGKILL'));
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(line);
  assert.ok(isAlive(pid));
  parent.kill('SIGKILL');
  await once(parent, 'close');
  for (const deadline = Date.now() + 10_000; isAlive(pid) && Date.now() < deadline; )
    await new Promise((soon) => setTimeout(soon, 20));
  assert.equal(isAlive(pid), false);
});

const parentProgram = `
  import { startService } from ${JSON.stringify(join(import.meta.dirname, '../../src/demo/processes.ts'))};
  const service = await startService(${JSON.stringify({ ...PLANNER, environment: QUIET })});
  console.log(service.pid);
  setInterval(() => {}, 1000);
`;
