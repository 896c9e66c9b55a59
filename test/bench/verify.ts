import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { portableSha256 } from '@behalf/verify';
import { bundleInBrowser } from './verify/browser.ts';
import { bundleBytesAtABillion, bundleMilliseconds } from './verify/bundle.ts';
import { hashInMemory, portableRate } from './verify/in-memory.ts';
import { buildCommand, verifyOverHttp } from './verify/over-http.ts';

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

await buildCommand();
const threads = Math.min(8, availableParallelism());
const figures = {
  memory: [hashInMemory(100, seconds), hashInMemory(600, seconds)],
  portable600PerSecond: portableRate(portableSha256, Math.min(1, seconds)),
  quarter: await verifyOverHttp(Math.ceil(entries / 4), 600, threads),
  http: await verifyOverHttp(entries, 600, threads),
  bundleBytesBeyondEntryAtABillion: bundleBytesAtABillion(),
  bundleMilliseconds: await bundleMilliseconds(),
  browser: await bundleInBrowser(),
};
/** Flat: a log four times as long takes no more memory, but for what garbage happens to lie about. */
const ratios = { peakMemoryFourTimesTheEntries: figures.http.peakMegabytes / figures.quarter.peakMegabytes };
const isFlat = ratios.peakMemoryFourTimesTheEntries <= 1.25;

process.stdout.write(values.json ? `${JSON.stringify({ ...figures, ratios })}\n` : `${describe(figures)}\n`);
if (!isFlat) {
  process.stderr.write('memory grew with the log\n');
  process.exitCode = 1;
}

function describe({ memory, quarter, http, browser, ...rest }: typeof figures): string {
  return [
    ...memory.map(
      (run) =>
        `in memory, one thread, ${run.entryBytes} bytes: ${run.entriesPerSecond} entries/s by the clock, ${run.entriesPerCpuSecond} by processor time (asked: 400000)`,
    ),
    `the browsers' hash, 600 bytes: ${rest.portable600PerSecond} leaves/s`,
    `over HTTP, ${http.entries} entries of ${http.entryBytes} bytes, ${http.threads} threads: ${http.seconds.toFixed(1)} s (asked: 15 for a million)`,
    `at most ${quarter.peakMegabytes} MB at ${quarter.entries} entries, ${http.peakMegabytes} MB at ${http.entries} (asked: flat)`,
    `a bundle of one entry at a billion entries: ${rest.bundleBytesBeyondEntryAtABillion} bytes beyond the entry (asked: 3000)`,
    `a bundle checked in Chromium: ${browser.milliseconds.toFixed(2)} ms, the first ${browser.firstMilliseconds.toFixed(1)} ms (asked: 20); in Node ${rest.bundleMilliseconds.toFixed(2)} ms`,
  ].join('\n');
}
