import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_THRESHOLDS, RULES } from '#chains';
import { describeRules } from '../../src/chains/rules/describe.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'src', 'chains', 'findings.md');
const RENEW = 'BEHALF_RENEW_FINDINGS';
const RULES_PART = /(?<=<!-- rules -->\n)[\s\S]*(?=<!-- end of rules -->)/;

test('src/chains/findings.md describes the rules as they are', async () => {
  const described = `\n${describeRules(RULES, DEFAULT_THRESHOLDS)}\n`;
  const page = await readFile(PAGE, 'utf8');
  if (process.env[RENEW] === '1')
    await writeFile(
      PAGE,
      page.replace(RULES_PART, () => described),
    );
  const kept = RULES_PART.exec(await readFile(PAGE, 'utf8'))?.[0];
  assert.equal(kept, described, `the rules changed; if that is meant: ${RENEW}=1 npm test, and commit the page`);
});

test('the page names no rule that is not there', async () => {
  const page = await readFile(PAGE, 'utf8');
  const ids = new Set(RULES.map(({ id }) => id));
  for (const [, id = ''] of page.matchAll(/^### .*\(`([a-z_]+)`\)$/gm)) assert.ok(ids.has(id), id);
});
