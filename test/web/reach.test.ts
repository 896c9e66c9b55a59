import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { build } from 'vite';
import { delegatedCall } from '../chains/entries.ts';
import { observationsOf, testApi } from '../query/api.ts';
import { openBrowser } from './browser.ts';

const root = join(import.meta.dirname, '../../src/web');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The built page before a real query API. */
async function opened(t: TestContext) {
  const dist = await mkdtemp(join(tmpdir(), 'behalf-page-'));
  t.after(() => rm(dist, { recursive: true, force: true }));
  await build({ root, logLevel: 'warn', build: { outDir: dist } });
  const api = await testApi(t);
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://page');
    if (url.pathname.startsWith('/api/')) {
      const answer = await api.app.inject(url.pathname + url.search);
      response
        .writeHead(answer.statusCode, { 'content-type': String(answer.headers['content-type']) })
        .end(answer.body);
      return;
    }
    const file = url.pathname === '/' ? '/index.html' : url.pathname;
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.setHeader('content-security-policy', "default-src 'self'; frame-ancestors 'none'; base-uri 'none'");
    response.setHeader('content-type', type).end(await readFile(join(dist, file)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const browser = await openBrowser();
  t.after(() => browser.close());
  const page = await browser.browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(5000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return { api, page, complaints, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('from a hop the page goes to what its actor reached, the way there and what would have stopped it, and back to what led to an effect', async (t) => {
  const { api, page, complaints, address } = await opened(t);
  const entries = delegatedCall();
  entries.hop({
    service: 'books',
    side: 'caller',
    at: [7, 1],
    transport: { protocol: 'http', peerService: 'archive' },
  });
  entries.hop({ service: 'archive', at: [7, 2, 1], resource: 'archive:<b>all</b>', outcome: { status: 'ok' } });
  await api.take(observationsOf(entries.all));
  await page.goto(`${address}/#/reach/party/${encodeURIComponent('ai_agent|https://idp|planner')}`);
  const main = page.locator('main');
  await main.getByRole('heading', { name: 'Services reached' }).waitFor();
  const text = (await main.textContent()) ?? '';
  for (const expected of [
    /2 hops in 1 chain; complete/,
    /payments verified the token of ai_agent planner and required invoice\.pay/,
    /Would have stopped it: a token without invoice\.pay/,
    /People whose authority was used[\s\S]*dana/,
    /Could have been reached besides \(1\)\s*archive\s*over books\s*archive/,
    /Crossed without verification/,
  ])
    assert.match(text, expected);
  if (process.env.BEHALF_PICTURE) await page.screenshot({ path: process.env.BEHALF_PICTURE, fullPage: true });
  await page.goto(`${address}/#/reach/resource/${encodeURIComponent('archive:<b>all</b>')}?direction=backward`);
  await main.getByRole('heading', { name: 'Could have come from' }).waitFor();
  const back = (await main.textContent()) ?? '';
  assert.match(back, /What led to resource archive:<b>all<\/b>/);
  assert.match(back, /planner · user dana[\s\S]*over planner\s*payments\s*books\s*archive/);
  await main.getByRole('link', { name: 'Look forward: what it reached' }).click();
  await main.getByRole('heading', { name: /What was reached by resource/ }).waitFor();
  assert.deepEqual(complaints, []);
});

test('a hop links to the reach of its token, its service and its resource', async (t) => {
  const { api, page, address } = await opened(t);
  await api.take(observationsOf(delegatedCall().all));
  const { chains } = await api.get<{ chains: readonly { id: string }[] }>('/api/v1/chains');
  await page.goto(`${address}/#/chains/${chains[0]?.id}`);
  await page.getByRole('link', { name: /What was reached with the token/ }).click();
  await page.getByRole('heading', { name: /What was reached by token/ }).waitFor();
  await page.getByRole('heading', { name: 'Services reached' }).waitFor();
});
