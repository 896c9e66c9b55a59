import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const BEHALF = join(import.meta.dirname, '..', '..', 'src', 'cli', 'behalf.ts');

/** Runs the command as a person would. */
async function behalf(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--conditions=behalf-source', BEHALF, ...argv], {
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('exit', resolve)),
  ]);
  return { out, err, status };
}

test('help names every command and every variable, and every command explains itself', async () => {
  const { out, status } = await behalf(['--help']);
  assert.equal(status, 0);
  const commands = [
    'demo',
    'serve',
    'migrate',
    'chains',
    'chain',
    'parties',
    'blast-radius',
    'verify',
    'fsck',
    'export',
  ];
  for (const word of [...commands, 'DATABASE_URL', 'BEHALF_DATA_DIR'])
    assert.match(out, new RegExp(`^  ${word} `, 'm'));
  for (const each of await Promise.all(commands.map((command) => behalf([command, '--help'])))) {
    assert.equal(each.status, 0);
    assert.match(each.out, /^behalf \w+/);
  }
});

for (const [what, argv, says] of [
  ['an unknown command', ['frobnicate'], /unknown command frobnicate/],
  ['an unknown option', ['chain', '--colour'], /--colour/],
  ['a missing id', ['chain'], /expected <chain id/],
  ['an export without a period', ['export'], /--from: expected a time/],
  ['an export in an unknown format', ['export', '--format', 'xml'], /expected ndjson or csv, got xml/],
] as const) {
  test(`${what} is status 2 and says what was expected`, async () => {
    const { err, status } = await behalf(argv);
    assert.equal(status, 2, err);
    assert.match(err, says);
  });
}

test('a server that does not answer is status 1 and says how to start one', async () => {
  const { err, status } = await behalf(['chain', 'c_0', '--url', 'http://127.0.0.1:9']);
  assert.equal(status, 1);
  assert.match(err, /no server answers at http:\/\/127\.0\.0\.1:9; start one with `behalf serve`/);
});
