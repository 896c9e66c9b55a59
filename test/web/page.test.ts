import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, suite, test } from 'node:test';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { build } from 'vite';
import type { Chain } from '#chains';
import type { PartyView } from '#query';
import { openBrowser } from './browser.ts';
import { cases, HOSTILE } from './cases.ts';
import { ledgerOf } from './ledger-of.ts';
import { type PageServer, servePage } from './page-server.ts';

const root = join(import.meta.dirname, '../../src/web');

suite('the page in a real browser', { timeout: 60_000 }, () => {
  let dist: string;
  let opened: { browser: Browser; close(): Promise<void> };
  let server: PageServer;
  let context: BrowserContext;
  let page: Page;
  /** What no test may leave behind: errors in the console, requests to elsewhere. */
  let complaints: string[];

  before(async () => {
    dist = await mkdtemp(join(tmpdir(), 'behalf-page-'));
    await build({ root, logLevel: 'warn', build: { outDir: dist } });
    server = await servePage(dist, cases());
    opened = await openBrowser();
  });
  after(async () => {
    await opened?.close();
    await server?.close();
    await rm(dist, { recursive: true, force: true });
  });

  beforeEach(async () => {
    complaints = [];
    Object.assign(server.answers, { damage: false, down: false, empty: false });
    context = await opened.browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(5000);
    page.on('pageerror', (error) => complaints.push(`threw ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== server.address) complaints.push(`asked ${request.url()}`);
    });
  });
  afterEach(() => context.close());

  const chainWith = (service: string, verdict?: Chain['verdict']): Chain<PartyView> =>
    server.chains.find(
      (chain) => chain.services.includes(service) && (verdict === undefined || chain.verdict === verdict),
    ) ?? assert.fail(`no ${verdict ?? ''} chain of ${service}`);
  const open = (hash: string) => page.goto(`${server.address}/${hash}`);
  const openChain = async (chain: Chain<PartyView>) => {
    await open(`#/chains/${chain.id}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
  };
  const hopButtons = () => page.getByRole('list', { name: /^Hops/ }).getByRole('button');
  const textOf = async (place: Locator): Promise<string> => {
    await place.first().waitFor();
    return (await place.allInnerTexts()).join('\n');
  };
  const clean = () => assert.deepEqual(complaints, []);

  test('lists chains with verdict, reason and completeness, and gets older ones on request', async () => {
    await open('');
    const items = page.locator('.chains > li');
    await items.first().waitFor();
    assert.equal(await items.count(), 4);
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByText('No older chains.').waitFor();
    assert.equal(await items.count(), server.chains.length);
    const text = await textOf(page.locator('.chains'));
    for (const chain of server.chains) assert.ok(text.includes(chain.verdict), chain.verdict);
    assert.match(text, /token replayed/);
    assert.match(text, /incomplete: 1 gap/);
    assert.match(text, /user dana/);
    clean();
  });

  test('filters by verdict and by service, and says what to do when nothing fits', async () => {
    await open('');
    await page.getByRole('link', { name: 'suspicious' }).click();
    await page.locator('.chains > li').first().waitFor();
    for (const text of await page.locator('.chains > li').allInnerTexts()) assert.match(text, /^suspicious/);
    await page.getByLabel('Service').fill('nobody');
    await page.getByLabel('Service').press('Enter');
    await page.getByText('No chain fits these filters.').waitFor();
    await page.getByRole('link', { name: 'Show all chains' }).click();
    await page.locator('.chains > li').first().waitFor();
    assert.equal(await page.getByLabel('Service').inputValue(), '');
    clean();
  });

  test('draws a chain with its lanes, a row for each hop with verdict and grade, and the delegation in order', async () => {
    const chain = chainWith('books', 'permitted');
    await openChain(chain);
    assert.deepEqual(await page.locator('.lane-name').allInnerTexts(), [
      'outside',
      'gateway',
      'planner',
      'payments',
      'books',
    ]);
    const rows = await hopButtons().all();
    assert.equal(rows.length, chain.hops.length);
    for (const [i, hop] of chain.hops.entries()) {
      const label = await rows[i]?.getAttribute('aria-label');
      assert.match(label ?? '', new RegExp(`${hop.verdict}, grade ${hop.grade}`));
    }
    assert.equal(
      await page.locator('.line.hop.proven').count(),
      chain.hops.filter((hop) => hop.grade === 'proven' && hop.kind === 'crossing').length,
    );
    assert.equal(await page.locator('.line.tie').count(), chain.links.length);
    assert.deepEqual(
      (await page.locator('.delegation li').allInnerTexts()).map((text) => text.split('\n').slice(0, 2).join(' ')),
      ['subject user dana', 'actor 1 service gateway', 'actor 2 AI agent planner', 'actor 3 service payments'],
    );
    clean();
  });

  test('a hop without a caller starts at a gap and never at the entrance', async () => {
    await openChain(chainWith('books', 'suspicious'));
    assert.equal(await page.getByText('entrance').count(), 0);
    assert.match(
      (await hopButtons().first().getAttribute('aria-label')) ?? '',
      /^an unobserved caller to books.*gap: caller not observed/,
    );
    assert.equal(await page.locator('.lines .gap-symbol').count(), 1);
    clean();
  });

  test('findings stand with their facts, and the hop that gave the verdict is selected first', async () => {
    await openChain(chainWith('payments', 'excessive'));
    await page
      .getByRole('heading', { name: /Asked for more than was held/ })
      .first()
      .waitFor();
    assert.match(await textOf(page.locator('#hop-details')), /not held\s+invoice\.pay/);
    assert.match((await page.locator('.row[aria-pressed=true]').getAttribute('aria-label')) ?? '', /excessive/);
    assert.equal(await page.locator('.refused').count(), 1);
    clean();
  });

  test('every candidate of an ambiguous link is shown with a question mark', async () => {
    await openChain(chainWith('queue-worker'));
    assert.equal(await page.locator('.line.tie.ambiguous').count(), 2);
    assert.equal(await page.locator('.lines .question').count(), 2);
    await page.getByRole('button', { name: /POST \/ship/ }).click();
    assert.equal(await page.getByText('May have been led to by').count(), 2);
    clean();
  });

  test('hops are chosen with the keyboard alone, and the address keeps the choice', async () => {
    const chain = chainWith('books', 'permitted');
    await openChain(chain);
    await hopButtons().first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const pressed = page.locator('.row[aria-pressed=true]');
    assert.equal(await pressed.getAttribute('aria-label'), await hopButtons().nth(2).getAttribute('aria-label'));
    assert.equal(await pressed.evaluate((element) => element === element.ownerDocument.activeElement), true);
    await page.keyboard.press('End');
    assert.match(await textOf(page.locator('#details-title')), /payments\s+books/);
    assert.ok(page.url().endsWith(`?hop=${chain.hops.at(-1)?.id}`));
    await page.reload();
    await page.locator('#details-title').waitFor();
    assert.match(await textOf(page.locator('#details-title')), /payments\s+books/);
    clean();
  });

  test('says checked only after the proof was recomputed here, and that the key came from the server', async () => {
    await openChain(chainWith('books', 'permitted'));
    assert.equal(await page.getByText('checked by this browser').count(), 0);
    await page.getByRole('button', { name: 'check the proof' }).first().click();
    await page.getByText('checked by this browser').waitFor();
    assert.match(await textOf(page.locator('.checked')), /The key came from the server itself/);
    clean();
  });

  test('a changed entry is not proven', async () => {
    server.answers.damage = true;
    await openChain(chainWith('books', 'permitted'));
    await page.getByRole('button', { name: 'check the proof' }).first().click();
    assert.match(await textOf(page.getByRole('alert')), /Not proven \(inclusion\)/);
    assert.equal(await page.getByText('checked by this browser').count(), 0);
    clean();
  });

  test('a pinned key is used instead of the server’s, and another log’s key is found out', async () => {
    await open('#/key');
    const pin = async (key: string) => {
      await page.getByRole('textbox', { name: 'Verifier key' }).fill(key);
      await page.getByRole('button', { name: 'Pin' }).click();
    };
    await pin('not a key');
    assert.match(await textOf(page.getByRole('alert')), /Not pinned/);
    await pin(server.ledger.verifierKey);
    await page.getByText('It is the pinned one.').waitFor();
    await open('#/entries/0');
    await page.getByRole('button', { name: 'check the proof' }).click();
    await page.getByText('The key is the one you pinned').waitFor();
    await open('#/key');
    await pin(ledgerOf([new Uint8Array(1)], server.ledger.origin).verifierKey);
    await page.getByText('It is not the pinned one.').waitFor();
    await open('#/entries/0');
    await page.getByRole('button', { name: 'check the proof' }).click();
    assert.match(await textOf(page.getByRole('alert')), /Not proven/);
    clean();
  });

  test('names from outside stay text, visible and in their place, at both widths', async () => {
    const chain = chainWith(HOSTILE.markup);
    for (const width of [1280, 400]) {
      await page.setViewportSize({ width, height: 900 });
      for (const hash of ['#/', `#/chains/${chain.id}`, `#/entries/${chain.entries[0]}`]) {
        await open(hash);
        await page.locator('main .card, main .chains').first().waitFor();
        assert.equal(await page.title(), 'Behalf');
        assert.equal(await page.locator('img').count(), 0);
        assert.ok(!(await textOf(page.locator('main'))).includes('\u202E'));
        assert.ok(
          Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth')) <= 0,
          `${hash} at ${width}`,
        );
      }
    }
    await openChain(chain);
    await page.locator('#details-title').getByText(HOSTILE.markup).waitFor();
    clean();
  });

  test('no chains, no such chain, no server: each says what to do', async () => {
    server.answers.empty = true;
    await open('');
    await page.getByText('No chains yet.').waitFor();
    clean();
    await open('#/chains/c_none');
    assert.match(await textOf(page.getByRole('alert')), /nothing of that id[\s\S]*look for it in the list/);
    server.answers.down = true;
    await open('#/');
    assert.match(await textOf(page.getByRole('alert')), /database does not answer[\s\S]*Try again/);
    Object.assign(server.answers, { down: false, empty: false });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.chains > li').first().waitFor();
  });
});
