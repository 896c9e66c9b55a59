/*
 * How long the SDK holds up its host's event loop while a collaborator is broken: npm run bench:stalls -- [--seconds 3] [--json]
 * Each case is a host of its own under load, beside the same route without the SDK in the same run: what the machine and the
 * garbage collector hold up is in both. Asked: no stall over 5 ms.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, get, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AUDIENCE, nestedAct, tokenIssuer } from '../sdk/token-issuer.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false } },
});
const seconds = Number(values.seconds);
const CLIENTS = 8;
const DEAD = 'http://127.0.0.1:1';

interface Stalls {
  /** Most processor time of the host's thread in one turn of its event loop. */
  readonly workMs: number;
  /** By the clock, with all that other processes take on a busy machine. */
  readonly maxMs: number;
  readonly p999Ms: number;
  /** Observations that found no room, or that the collector would not take. */
  readonly lost: number;
}

const cleanups: (() => unknown)[] = [];
const t = { after: (run: () => unknown) => void cleanups.unshift(run) };
execFileSync('npm', ['run', '--silent', 'prepack'], { cwd: join(import.meta.dirname, '..', '..', 'src', 'sdk') });
const folder = await mkdtemp(join(tmpdir(), 'behalf-stalls-'));
t.after(() => rm(folder, { recursive: true, force: true }));
try {
  const issuer = await tokenIssuer(t);
  const good = await serve((req, res) => void req.resume().on('end', () => res.end()));
  const silent = await serve((req) => void req.resume());
  const garbage = await serve((req, res) => void req.resume().on('end', () => res.end(Buffer.alloc(65_536, 0xff))));
  const token = await issuer.sign();
  const hostile = [
    'x.y.z',
    'a'.repeat(12_000),
    await issuer.sign({ act: nestedAct(50) }),
    `${token.slice(0, -8)}AAAAAAAA`,
  ];
  const { jwksUri } = issuer;
  const cases: readonly {
    name: string;
    collector?: string;
    jwks?: string;
    tokens?: readonly string[];
    full?: boolean;
  }[] = [
    { name: 'without the SDK' },
    { name: 'nothing is broken' },
    { name: 'the collector is down', collector: DEAD },
    { name: 'the collector never answers', collector: silent },
    { name: 'the collector answers garbage', collector: garbage },
    { name: 'the disk is full', full: true },
    { name: 'the keys cannot be fetched', jwks: `${DEAD}/keys`, tokens: [token] },
    { name: 'the clock is wrong' },
    { name: 'every token is malformed', tokens: hostile },
    { name: 'all of it', collector: garbage, jwks: `${DEAD}/keys`, tokens: [...hostile, token], full: true },
  ];
  const report: Record<string, Stalls> = {};
  for (const { name, collector = good, jwks = jwksUri, tokens = [token], full = false } of cases) {
    const args = [name, issuer.issuer, jwks, AUDIENCE, collector, await mkdtemp(join(folder, 'spool-'))];
    report[name] = await measure(args, tokens, full);
    if (!values.json) process.stdout.write(`${name.padEnd(32)} ${line(report[name])}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ seconds, stalls: report })}\n`);
} finally {
  for (const cleanup of cleanups) await cleanup();
}

function line({ workMs, maxMs, p999Ms, lost }: Stalls): string {
  const [work, most, nearly] = [workMs, maxMs, p999Ms].map((ms) => `${ms.toFixed(1)} ms`);
  return `most work in a turn ${work} (asked: <= 5)   by the clock: most ${most}, 99.9 % ${nearly}   lost ${lost}`;
}

/** `full`: a file may grow to a few KiB and no further, which every later write is told. */
async function measure(args: readonly string[], tokens: readonly string[], full: boolean): Promise<Stalls> {
  const child = fork(join(import.meta.dirname, 'stall-host.ts'), args, { execArgv: [] });
  t.after(() => child.kill('SIGKILL'));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  if (full) execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=8192']);
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const from = { at: performance.now() };
  const clients = Array.from({ length: CLIENTS }, (_, index) => load(port, agent, tokens, { index, from }));
  await pause(2_000); // compiled by now
  child.send('begin');
  await Promise.all(clients);
  child.send('tell');
  const [stalls] = (await once(child, 'message')) as [Stalls];
  agent.destroy();
  child.kill('SIGKILL');
  await once(child, 'exit');
  return stalls;
}

async function load(
  port: number,
  agent: Agent,
  tokens: readonly string[],
  { index, from }: { index: number; from: { at: number } },
): Promise<void> {
  for (let asked = index; performance.now() < from.at + 2_000 + seconds * 1000; asked += 1) {
    const authorization = `Bearer ${tokens[asked % tokens.length]}`;
    const request = get({ host: '127.0.0.1', port, path: '/pay', agent, headers: { authorization } });
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    await pause(2); // a host that rests at times: the delays are its own, not those of a queue
  }
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
