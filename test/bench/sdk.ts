/*
 * What the SDK costs a host, in one run: npm run bench:sdk -- [--seconds 3] [--rounds 5] [--spool] [--fsync each] [--json]
 * A trivial Fastify route under OpenTelemetry alone against the same plus guard and recorder as they are published, by turns;
 * medians of the rounds. Hosts, load and collector are processes of their own: on two cores they take from one another, and
 * what the host sends costs the machine its reception as well. --profile <folder> writes a CPU profile of each host.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AUDIENCE, tokenIssuer } from '../sdk/token-issuer.ts';
import { cachedVerificationMicros } from './cached-verification.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    spool: { type: 'boolean', default: false },
    fsync: { type: 'string', default: 'interval' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const { profile } = values;
const CLIENTS = 16;

interface Round {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly p50Ms: number;
}

interface MeasuredRound extends Round {
  /** The host's own processor time, the kernel's included. */
  readonly cpuMicros: number;
  /** Resident right after the load: a host that rests gives memory back, one sooner than the other. */
  readonly rss: number;
}

const cleanups: (() => unknown)[] = [];
const issuer = await tokenIssuer({ after: (run) => void cleanups.push(run) });
execFileSync('npm', ['run', '--silent', 'prepack'], { cwd: join(import.meta.dirname, '..', '..', 'src', 'sdk') });
const collector = fork(join(import.meta.dirname, 'sdk-collector.ts'));
const [{ url: collectorUrl }] = (await once(collector, 'message')) as [{ url: string }];
const spool = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
try {
  const [plain, behalf] = [await startHost('plain'), await startHost('behalf')];
  const authorization = `Bearer ${await issuer.sign()}`;
  const idle = { plain: (await plain.usage()).rss, behalf: (await behalf.usage()).rss };
  for (const host of [plain, behalf]) await load(host.port, authorization, Math.min(2, seconds));
  const measured: { plain: MeasuredRound[]; behalf: MeasuredRound[] } = { plain: [], behalf: [] };
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (['plain', 'behalf'] as const) : (['behalf', 'plain'] as const);
    for (const kind of order) measured[kind].push(await measure(kind === 'plain' ? plain : behalf, authorization));
  }
  const median = (list: readonly MeasuredRound[], pick: (round: MeasuredRound) => number) =>
    list.map(pick).toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
  const ratios = measured.plain.map((round, index) => (measured.behalf[index]?.perSecond ?? 0) / round.perSecond);
  const [plainMemory, behalfMemory] = [await plain.usage(), await behalf.usage()];
  const report = {
    requestsPerSecondRatio: round3(ratios.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0),
    p99MoreMs: round3(median(measured.behalf, ({ p99Ms }) => p99Ms) - median(measured.plain, ({ p99Ms }) => p99Ms)),
    p50MoreMs: round3(median(measured.behalf, ({ p50Ms }) => p50Ms) - median(measured.plain, ({ p50Ms }) => p50Ms)),
    memoryMoreMiB: round3(
      (median(measured.behalf, ({ rss }) => rss) - median(measured.plain, ({ rss }) => rss)) / 2 ** 20,
    ),
    idleMemoryMoreMiB: round3((idle.behalf - idle.plain) / 2 ** 20),
    heapMoreMiB: round3((behalfMemory.heapUsed - plainMemory.heapUsed) / 2 ** 20),
    cachedVerificationMicros: round3(await cachedVerificationMicros()),
    lost: behalfMemory.lost,
    plainCpuMicrosPerRequest: round3(median(measured.plain, ({ cpuMicros }) => cpuMicros)),
    behalfCpuMicrosPerRequest: round3(median(measured.behalf, ({ cpuMicros }) => cpuMicros)),
    plainRequestsPerSecond: Math.round(median(measured.plain, ({ perSecond }) => perSecond)),
    behalfRequestsPerSecond: Math.round(median(measured.behalf, ({ perSecond }) => perSecond)),
    rounds,
    seconds,
    spool: values.spool,
  };
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${table(report)}\n`);
  for (const host of [plain, behalf]) await host.stop();
} finally {
  collector.kill();
  for (const cleanup of cleanups) await cleanup();
  await rm(spool, { recursive: true, force: true });
}

function table(report: Readonly<Record<string, unknown>>): string {
  const asked: Readonly<Record<string, string>> = {
    requestsPerSecondRatio: '>= 0.90',
    p99MoreMs: '<= 0.25',
    memoryMoreMiB: '<= 25',
    cachedVerificationMicros: '<= 5',
  };
  return Object.entries(report)
    .map(([name, value]) => `${name.padEnd(26)} ${String(value).padStart(10)}  ${asked[name] ?? ''}`.trimEnd())
    .join('\n');
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}

async function measure(host: Awaited<ReturnType<typeof startHost>>, authorization: string): Promise<MeasuredRound> {
  const before = (await host.usage()).cpuMicros;
  const round = await load(host.port, authorization, seconds);
  const { cpuMicros, rss } = await host.usage();
  return { ...round, cpuMicros: (cpuMicros - before) / (round.perSecond * seconds), rss };
}

async function startHost(kind: 'plain' | 'behalf') {
  const child = fork(
    join(import.meta.dirname, 'sdk-host.ts'),
    [kind, issuer.issuer, issuer.jwksUri, AUDIENCE, collectorUrl, values.spool ? spool : 'memory', values.fsync],
    {
      execArgv: ['--expose-gc', ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}/${kind}`])],
    },
  );
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const usage = async () => {
    child.send('usage');
    const [answer] = (await once(child, 'message')) as [
      { rss: number; heapUsed: number; cpuMicros: number; lost: number },
    ];
    return answer;
  };
  const stop = async () => {
    child.kill(profile === undefined ? 'SIGKILL' : 'SIGTERM');
    await once(child, 'exit');
  };
  return { port, usage, stop };
}

/** Closed loop: each client asks again as soon as it is answered. */
async function load(port: number, authorization: string, forSeconds: number): Promise<Round> {
  const started = performance.now();
  const ends = started + forSeconds * 1000;
  const times: number[] = [];
  const request = `GET /pay HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: ${authorization}\r\n\r\n`;
  await Promise.all(Array.from({ length: CLIENTS }, () => client({ port, request, ends, times })));
  const elapsed = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { perSecond: times.length / elapsed, p99Ms: at(0.99), p50Ms: at(0.5) };
}

/** A socket that writes one request and waits for the end of its answer: a client that costs less than the host it measures. */
async function client(o: { port: number; request: string; ends: number; times: number[] }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', port: o.port, noDelay: true });
  let from = 0;
  let answer = '';
  const ask = () => {
    from = performance.now();
    answer = '';
    socket.write(o.request);
  };
  socket.on('connect', ask).on('error', reject);
  socket.on('data', (part) => {
    answer += part.toString('latin1');
    if (!answer.startsWith('HTTP/1.1 200')) return reject(new Error(`the host answered ${answer.slice(0, 200)}`));
    if (!answer.endsWith('{"paid":true}')) return;
    const now = performance.now();
    o.times.push(now - from);
    if (now < o.ends) return ask();
    socket.destroy();
    resolve();
  });
  return promise;
}
