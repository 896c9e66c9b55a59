import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { formatEvidence, formatEvidencePage, formatPolicy, formatTlogProof, policyOfLog } from '@behalf/verify';
import { numberedEntries, pathOf, referenceLog } from './reference-log.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const source = join(root, 'src/verify');

/** The package as a stranger has it: packed, then installed alone in an empty folder, without network. */
async function installPacked(folder: string): Promise<{ path: string }[]> {
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source });
  const [{ filename, files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[')));
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, filename)], { cwd: folder });
  return files;
}

const exampleOf = (readme: string): string => /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

test('the packed package installs alone, and runs the example of its README and its command', {
  timeout: 120_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-verify-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const files = await installPacked(folder);

  assert.ok(
    files.every(({ path }) =>
      /^(dist\/.*\.(js|d\.ts)|dist\/evidence\.html|package\.json|README\.md|LICENSE)$/.test(path),
    ),
    files.map(({ path }) => path).join(' '),
  );
  const installed = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
  assert.deepEqual(installed, ['@behalf']);
  assert.deepEqual(await readdir(join(folder, 'node_modules/@behalf')), ['verify']);
  assert.equal(
    files.some(({ path }) => path.includes('node_modules')),
    false,
  );

  const log = referenceLog(numberedEntries(300));
  const proof = pathOf(log.leaves, 7).map((hash) => new Uint8Array(hash));
  await writeFile(join(folder, 'entry.json'), 'leaf 7');
  await writeFile(join(folder, 'log.vkey'), `${log.verifierKey}\n`);
  await writeFile(join(folder, 'entry.tlog-proof'), formatTlogProof({ index: 7n, proof, checkpoint: log.note }));
  const example = exampleOf(await readFile(join(folder, 'node_modules/@behalf/verify/README.md'), 'utf8'));
  await writeFile(join(folder, 'example.mjs'), example);
  const { stdout } = await run(process.execPath, ['example.mjs'], { cwd: folder });
  assert.equal(stdout, 'entry 7 of 300 in log.example/behalf\n');

  await writeFile(join(folder, 'entry.json'), 'leaf 8');
  await assert.rejects(run(process.execPath, ['example.mjs'], { cwd: folder }), /code: 'inclusion'/);

  await t.test(
    'its command checks a bundle, a page that carries one, and a served log, started by its name',
    async (t) => {
      const npx = (...args: string[]) => {
        const env = { ...process.env, XDG_STATE_HOME: join(folder, 'state'), NODE_OPTIONS: '' };
        return run('npx', ['--offline', '@behalf/verify', ...args], { cwd: folder, env });
      };
      await writeFile(join(folder, 'policy'), formatPolicy(policyOfLog(log.verifierKey)));
      const entries = [{ index: 7n, entry: 'leaf 7', proof }];
      const bundle = formatEvidence({ checkpoint: log.note, entries, disclosures: [], policy: 'quorum none\n' });
      await writeFile(join(folder, 'bundle.json'), bundle);
      await npx('--page', 'empty.html');
      const empty = await readFile(join(folder, 'empty.html'), 'utf8');
      await writeFile(join(folder, 'page.html'), formatEvidencePage(empty, bundle));
      for (const file of ['bundle.json', 'page.html']) {
        const { stdout } = await npx(file, '--policy', 'policy');
        assert.match(stdout, /^verified: an entry of log\.example\/behalf\n/);
        assert.match(stdout, /entry 7: leaf 7\n$/);
      }
      await writeFile(join(folder, 'forged.json'), bundle.replace('leaf 7', 'leaf 8'));
      await assert.rejects(npx('forged.json', '--policy', 'policy'), { code: 1, stderr: /not verified \(inclusion/ });
      const server = createServer((request, response) => {
        const body = log.files.get(request.url?.slice(1) ?? '');
        if (body === undefined) response.writeHead(404).end();
        else response.end(body);
      }).listen(0, '127.0.0.1');
      t.after(() => server.close());
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as AddressInfo;
      const { stdout } = await npx(`http://127.0.0.1:${port}`, '--policy', 'policy', '--threads', '2');
      assert.match(stdout, /300 entries read, each hashed to its leaf/);
      assert.match(stdout, /begins with the 300 entries this machine saw before/, 'from the bundle');
    },
  );

  await t.test('its types stand alone, without those of Node', async () => {
    await writeFile(
      join(folder, 'example.ts'),
      "import { type LogReport, verifyLog } from '@behalf/verify';\n" +
        "export const report: Promise<LogReport> = verifyLog({ url: 'https://log.example', verifierKey: 'key' });\n" +
        'export const size: Promise<bigint> = report.then(({ checkpoint }) => checkpoint.size);\n',
    );
    const options = ['--noEmit', '--strict', '--target', 'es2024', '--lib', 'es2024,dom', '--module', 'nodenext'];
    const types = ['--types', '', '--skipLibCheck', 'false', 'example.ts'];
    await run(join(root, 'node_modules/.bin/tsc'), [...options, ...types], { cwd: folder });
  });
});
