import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { openBrowser } from '../../web/browser.ts';
import { benchBundle } from './bundle.ts';

export interface BrowserRun {
  readonly firstMilliseconds: number; // on a page just opened, nothing compiled yet
  readonly milliseconds: number; // the median after that
}

/** Checks one bundle, of one entry and one witness, in a real Chromium: @behalf/verify as a script in a page from a disk. */
export async function bundleInBrowser(): Promise<BrowserRun> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
  const { browser, close } = await openBrowser();
  try {
    const page = join(folder, 'page.html');
    await writeFile(page, '<!doctype html><title>bench</title>');
    const tab = await browser.newPage();
    await tab.goto(pathToFileURL(page).href);
    await tab.addScriptTag({ content: await verifyAsScript() });
    const times = await tab.evaluate<number[]>(`(${MEASURE})(${JSON.stringify(JSON.stringify(benchBundle()))})`);
    const [first = Number.NaN, ...rest] = times;
    return { firstMilliseconds: first, milliseconds: rest.toSorted((a, b) => a - b)[rest.length >> 1] ?? Number.NaN };
  } finally {
    await close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs in the page, and so is text here. */
const MEASURE = `async (given) => {
  const { evidence, policy } = JSON.parse(given);
  const times = [];
  for (let i = 0; i < 101; i += 1) {
    const started = performance.now();
    await behalfVerify.checkEvidence({ evidence, policy });
    times.push(performance.now() - started);
  }
  return times;
}`;

async function verifyAsScript(): Promise<string> {
  const entry = join(import.meta.dirname, '../../../src/verify/index.ts');
  const lib = { entry, name: 'behalfVerify', formats: ['iife' as const] };
  const built = await build({ configFile: false, logLevel: 'warn', build: { lib, write: false, target: 'es2022' } });
  const [output] = Array.isArray(built) ? built : [];
  const code = output?.output[0].code;
  if (code === undefined) throw new Error('vite built no script');
  return code;
}
