import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { portableSha256 } from '@behalf/verify';
import { bundleBytesAtABillion, bundleMilliseconds } from './verify/bundle.ts';
import { hashInMemory, portableRate } from './verify/in-memory.ts';
import { verifyOverHttp } from './verify/over-http.ts';

/** `npm run bench:verify -- --seconds S --entries N --json` */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    entries: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
  },
});
const [seconds, entries] = [Number(values.seconds), Number(values.entries)];
if (!(seconds > 0) || !Number.isInteger(entries) || entries < 1) {
  throw new TypeError('expected --seconds above 0 and --entries as a whole number above 0');
}

const figures = {
  memory: [hashInMemory(100, seconds), hashInMemory(600, seconds)],
  portable600PerSecond: portableRate(portableSha256, Math.min(1, seconds)),
  http: await verifyOverHttp(entries, 600, Math.min(8, availableParallelism())),
  bundleBytesBeyondEntryAtABillion: bundleBytesAtABillion(),
  bundleMilliseconds: await bundleMilliseconds(),
};

process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : `${describe(figures)}\n`);

function describe({ memory, http, ...rest }: typeof figures): string {
  return [
    ...memory.map(
      (run) =>
        `in memory, one thread, ${run.entryBytes} bytes: ${run.entriesPerSecond} entries/s by the clock, ${run.entriesPerCpuSecond} by processor time (asked: 400000)`,
    ),
    `the browsers' hash, 600 bytes: ${rest.portable600PerSecond} leaves/s`,
    `over HTTP, ${http.entries} entries of ${http.entryBytes} bytes, ${http.threads} threads: ${http.seconds.toFixed(1)} s (asked: 15 for a million), at most ${http.peakMegabytes} MB`,
    `a bundle of one entry at a billion entries: ${rest.bundleBytesBeyondEntryAtABillion} bytes beyond the entry (asked: 3000)`,
    `a bundle checked: ${rest.bundleMilliseconds.toFixed(2)} ms (asked: 20, in a browser)`,
  ].join('\n');
}
