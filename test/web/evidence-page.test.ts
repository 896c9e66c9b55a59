import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  type Evidence,
  evidenceOfPage,
  formatEvidence,
  formatEvidencePage,
  formatPolicy,
  formatTimestampQuery,
  parseTimestampAnswer,
  policyOfLog,
  sha256,
} from '@behalf/verify';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { build } from 'vite';
import { cosigner } from '../verify/cosigner.ts';
import { flipped, referenceLog } from '../verify/reference-log.ts';
import { openAuthority, withoutOpenssl } from '../verify/tsa.ts';
import { openBrowser } from './browser.ts';
import { HOSTILE } from './cases.ts';
import { delegatedEvidence } from './evidence-bundle.ts';

const root = join(import.meta.dirname, '../../src/web/evidence');
const { evidence, policy, text } = delegatedEvidence();

suite('the evidence page in a real browser, from a disk', { timeout: 60_000 }, () => {
  let folder: string;
  let empty: string;
  let opened: { browser: Browser; close(): Promise<void> };
  let context: BrowserContext;
  let page: Page;
  /** What no test may leave behind: errors in the console, and anything asked of any network. */
  let complaints: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-evidence-page-'));
    await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'warn', build: { outDir: folder } });
    empty = await readFile(join(folder, 'evidence.html'), 'utf8');
    opened = await openBrowser();
  });
  after(async () => {
    await opened?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    complaints = [];
    context = await opened.browser.newContext({ viewport: { width: 1100, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(5000);
    page.on('pageerror', (error) => complaints.push(`threw ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (!/^(file|blob):/.test(request.url())) complaints.push(`asked ${request.url()}`);
    });
  });
  afterEach(() => context.close());

  const openPage = async (html: string) => {
    const file = join(folder, 'page.html');
    await writeFile(file, html);
    await page.goto(pathToFileURL(file).href);
    await page.getByRole('heading', { level: 1 }).waitFor();
  };
  const openWith = (bundle: string) => openPage(formatEvidencePage(empty, bundle));
  const textOf = async (place: Locator): Promise<string> => (await place.allInnerTexts()).join('\n');
  const heading = () => textOf(page.getByRole('heading', { level: 1 }));
  const trust = async (words: string) => {
    await page.getByLabel('Key, policy or certificates').fill(words);
    await page.getByRole('button', { name: 'Check with these' }).click();
  };
  const choose = (name: string, body: string | Buffer) =>
    page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(body) });
  const clean = () => assert.deepEqual(complaints, []);

  test('a good bundle is verified and told in plain words, under the keys it names itself, and says so', async () => {
    await openWith(text);
    assert.match(await heading(), /holds together; by whose word is for you to settle/);
    const words = (await textOf(page.locator('main'))).replaceAll(/\s+/g, ' ');
    for (const said of [
      'All 11 entries are in the log ledger.example/evidence',
      'which this file itself names',
      'payments called books, which was permitted and succeeded',
      'On behalf of user dana@example.com, by service gateway, then by AI agent planner, then by service payments',
      'Under a token 543431000000… of https://idp for invoice.pay, verified by who was called.',
      '1 independent witness. auditor on 2026-10-31 09:41:40 UTC',
      '8 disclosed names.',
      'What this does not prove',
      'That nothing is missing.',
    ]) {
      assert.ok(words.includes(said), `${said}\n${words}`);
    }
    clean();
  });

  test('under the reader’s own key or policy it holds as trusted; under another’s it is refused and nothing is shown', async () => {
    await openWith(text);
    await trust(policy.logs[0]?.verifierKey ?? '');
    await page.getByText('It holds, under what you trust').waitFor();
    await trust(formatPolicy(policy));
    await page.getByText('1 independent witness').waitFor();
    await trust(formatPolicy(policyOfLog(referenceLog([], 'other.example').verifierKey)));
    await page.getByText('Refused: this does not hold').waitFor();
    const words = await textOf(page.locator('main'));
    assert.match(words, /No log that is trusted here signed it/);
    assert.doesNotMatch(words, /dana/);
    await trust('quorum of nobody');
    await page.getByText(/policy line 1/).waitFor();
    await page.getByRole('button', { name: 'Back to what came with the file' }).click();
    await page.getByText('It holds together').waitFor();
    clean();
  });

  const [first, second] = evidence.entries;
  assert.ok(first !== undefined && second !== undefined);
  const withFirst = (changed: Partial<typeof first>): Partial<Evidence> => ({
    entries: [{ ...first, ...changed }, ...evidence.entries.slice(1)],
  });
  const TAMPERED: Readonly<Record<string, readonly [code: string, Partial<Evidence>]>> = {
    'an entry changed': ['inclusion', withFirst({ entry: first.entry.replace('gateway', 'getaway') })],
    'an entry given another number': ['inclusion', { entries: [{ ...second, index: 0n }] }],
    'two entries exchanged': [
      'inclusion',
      {
        entries: [
          { ...first, entry: second.entry },
          { ...second, entry: first.entry },
        ],
      },
    ],
    'a hash of a proof changed': [
      'inclusion',
      withFirst({ proof: first.proof.map((hash, i) => (i === 2 ? flipped(hash, 9) : hash)) }),
    ],
    'the tree size changed': ['bad_signature', { checkpoint: evidence.checkpoint.replace('\n11\n', '\n12\n') }],
    'the witness taken away': ['quorum', { checkpoint: `${evidence.checkpoint.split('\n').slice(0, 5).join('\n')}\n` }],
    'a stranger as the witness': [
      'quorum',
      {
        checkpoint: cosigner('stranger.example').cosign(`${evidence.checkpoint.split('\n').slice(0, 5).join('\n')}\n`),
      },
    ],
    'the key of one name given for another': [
      'disclosure',
      {
        disclosures: evidence.disclosures.map((each, i, all) => ({
          ...each,
          key: all[(i + 1) % all.length]?.key ?? each.key,
        })),
      },
    ],
  };
  for (const [what, [code, changed]] of Object.entries(TAMPERED)) {
    test(`refused and named: ${what}`, async () => {
      await openWith(formatEvidence({ ...evidence, ...changed }));
      assert.equal(await heading(), 'Refused: this does not hold');
      const words = await textOf(page.locator('main'));
      assert.match(words, new RegExp(`\\n${code}: `));
      assert.doesNotMatch(words, /dana@example|books/);
      clean();
    });
  }

  test('a timestamp is said to be unchecked until its authority is trusted, and refused under another', {
    skip: withoutOpenssl,
  }, async (t) => {
    const [authority, stranger] = [await openAuthority(t, { key: 'P-256' }), await openAuthority(t, { key: 'P-256' })];
    const query = { imprint: sha256(Buffer.from(evidence.checkpoint)), nonce: new Uint8Array(randomBytes(8)) };
    const timestamp = parseTimestampAnswer(await authority.answer(formatTimestampQuery(query)), query);
    await openWith(formatEvidence({ ...evidence, timestamp }));
    await page.getByText('A timestamp, not checked').waitFor();
    await trust(`${formatPolicy(policy)}\n${authority.certificate}`);
    await page.getByText(/Test authority says that this signed tree existed on/).waitFor();
    await trust(`${formatPolicy(policy)}\n${stranger.certificate}`);
    await page.getByText(/^timestamp: none of the authorities you trust signed it/).waitFor();
    clean();
  });

  test('the empty page takes a bundle or another page that carries one, and refuses what is neither', async () => {
    await openPage(empty);
    assert.equal(await heading(), 'Give it evidence to check');
    await choose('bundle.json', text);
    await page.getByText('It holds together').waitFor();
    await choose('page.html', formatEvidencePage(empty, text));
    await page.getByText('It holds together').waitFor();
    for (const [name, body] of [
      ['text.json', '{"format":"behalf-evidence@v1"}'],
      ['page.html', empty],
      ['bytes.json', Buffer.from([0xff, 0xfe])],
    ] as const) {
      await choose(name, body);
      await page.getByText('Refused: this does not hold').waitFor();
      assert.match(await textOf(page.locator('main')), /malformed: /);
    }
    clean();
  });

  test('names and entries that somebody hostile wrote stay text, and end no block of the page', async () => {
    const entries = [
      `</script><script>document.title='owned'</script><!--`,
      JSON.stringify({ v: 1, kind: 'hop', operation: HOSTILE.markup }),
      JSON.stringify({ v: 1, kind: 'hop', actors: 7 }),
      '\u202E\u2066 not JSON \u0000',
    ];
    const hostile = delegatedEvidence(entries);
    const html = formatEvidencePage(empty, hostile.text);
    assert.equal(evidenceOfPage(html), hostile.text);
    await openPage(html);
    await page.getByText('It holds together').waitFor();
    assert.equal(await page.title(), 'Behalf evidence');
    assert.equal(await page.locator('img').count(), 0);
    const last = page.locator('#entry-14 pre');
    await page.locator('#entry-14 summary').click();
    assert.equal(await textOf(last), '\\u{202e}\\u{2066} not JSON \\u{0}');
    clean();
  });

  test('its own policy stops whatever would run or load beside it', async () => {
    const failed: (string | undefined)[] = [];
    page.on('requestfailed', (request) => failed.push(request.failure()?.errorText));
    const beside = '<script>document.title="owned"</script><img src="https://elsewhere.example/x">';
    await openPage(formatEvidencePage(empty, text).replace('<div id="page">', `${beside}<div id="page">`));
    assert.equal(await page.title(), 'Behalf evidence');
    const told = complaints.filter((each) => /Content Security Policy/.test(each));
    assert.equal(told.length, 2, 'the script and the image');
    assert.deepEqual(failed, ['csp'], 'stopped before it left');
  });

  test('each entry can be reached by keyboard from what rests on it, and the whole fits a narrow screen', async () => {
    await page.setViewportSize({ width: 360, height: 700 });
    await openWith(text);
    await page.getByRole('link', { name: 'entry 7', exact: true }).first().press('Enter');
    assert.match(page.url(), /#entry-7$/);
    const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.equal(wide, 0);
    for (const name of ['What happened', 'What was checked, in this browser', 'Whom you trust']) {
      assert.equal(await page.getByRole('heading', { level: 2, name }).count(), 1, name);
    }
    clean();
  });

  test('the bundle inside is saved as the very file', async () => {
    await openWith(text);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save the bundle' }).click(),
    ]);
    assert.equal(await readFile(await download.path(), 'utf8'), text);
    clean();
  });
});
