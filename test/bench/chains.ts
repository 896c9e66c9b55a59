import { parseArgs } from 'node:util';
import { type Recorded, stitch } from '#chains';
import { encodeEntry } from '#observation';
import { digest, Entries, type Span, service, user } from '../chains/entries.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

/** A delegated chain of so many hops, both sides told, a token exchanged at every step. */
export function chainOf(hops: number, trace = 1): readonly Recorded[] {
  const entries = new Entries();
  const dana = user('dana');
  const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const } };
  entries.hop({ service: 's0', at: [trace, 1], digest: `${trace}-0`, scopes: ['x'], subject: dana, ...permit });
  for (let i = 1; i < hops; i += 1) {
    const above = 10 * (i - 1) + 1;
    const at: Span = [trace, 10 * i, above];
    const token = { digest: `${trace}-${i}`, scopes: ['x'], subject: dana };
    entries.exchange({
      at: [trace, 10 * i + 2, above],
      tokenIn: digest(`${trace}-${i - 1}`),
      tokenOut: digest(`${trace}-${i}`),
    });
    const parent = { traceId: trace.toString(16).padStart(32, '0'), spanId: above.toString(16).padStart(16, '0') };
    const transport = { protocol: 'http' as const, peerService: `s${i}` };
    entries.hop({ service: `s${i - 1}`, side: 'caller', at, cause: parent, verified: false, transport, ...token });
    entries.hop({
      service: `s${i}`,
      at: [trace, 10 * i + 1, 10 * i],
      actors: [service(`s${i - 1}`)],
      ...token,
      ...permit,
    });
  }
  return entries.all;
}

interface Taken {
  readonly median: number;
  readonly fastest: number;
  /** Of this process on its processors, threads of the runtime included: what a busy machine adds is not in it. */
  readonly cpu: number;
}

/** Time of stitching, in microseconds. */
function stitchMicros(recorded: readonly Recorded[], runs: number): Taken {
  const used = process.cpuUsage();
  const times = Array.from({ length: runs }, () => {
    const start = process.hrtime.bigint();
    stitch(recorded);
    return Number(process.hrtime.bigint() - start) / 1000;
  }).toSorted((a, b) => a - b);
  const { user, system } = process.cpuUsage(used);
  return { median: times[Math.floor(runs / 2)] ?? 0, fastest: times[0] ?? 0, cpu: (user + system) / runs };
}

const whole = ({ median, fastest, cpu }: Taken, unit: number) => ({
  median: Math.round(median / unit),
  fastest: Math.round(fastest / unit),
  cpu: Math.round(cpu / unit),
});
const ten = chainOf(10);
stitchMicros(ten, 500);
const large = chainOf(5_000);
const bytes = large.map(({ entry }) => encodeEntry(entry).length);
stitchMicros(large, 10);
const report = {
  tenHopsMicros: whole(stitchMicros(ten, 1_000), 1),
  fiveThousandHopsMs: whole(stitchMicros(large, 20), 1_000),
  entries: { tenHops: ten.length, fiveThousandHops: large.length },
  bytesPerEntry: Math.round(bytes.reduce((sum, each) => sum + each, 0) / bytes.length),
};
const line = ({ median, fastest, cpu }: Taken, unit: string): string =>
  `median ${median} ${unit}, fastest ${fastest}, processor ${cpu}; asked 150`;
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : `10 hops (${report.entries.tenHops} entries): ${line(report.tenHopsMicros, 'µs')}\n5,000 hops (${report.entries.fiveThousandHops} entries): ${line(report.fiveThousandHopsMs, 'ms')}\n`,
);
