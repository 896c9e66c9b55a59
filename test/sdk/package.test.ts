import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { installOffline } from './offline-install.ts';

const root = join(import.meta.dirname, '..', '..');
const source = join(root, 'src', 'sdk');
const run = promisify(execFile);
const npm = (cwd: string, ...args: string[]) =>
  run('npm', [...args, '--no-audit', '--no-fund'], { cwd, timeout: 240_000 });

/** What a service's developer writes first; prints what the guard and the recorder did without a collector. */
const PROGRAM = `
import { currentDelegation, startBehalf, tokenDigest } from '@behalf/sdk';
import { EVENT_HOP } from '@behalf/sdk/semconv';
const behalf = startBehalf({ service: 'consumer', collectorUrl: 'http://127.0.0.1:1' });
behalf.recordExchange({ tokenIn: 'token' });
const { lost } = await behalf.shutdown({ timeoutMs: 1 });
console.log(JSON.stringify([EVENT_HOP, typeof behalf.guard, currentDelegation() ?? null, tokenDigest('').slice(0, 8), lost]));
`;

const TYPED_PROGRAM = `
import { type Behalf, type Delegation, startBehalf } from '@behalf/sdk';
const behalf: Behalf = startBehalf({ service: 'consumer', audiences: { 'https://a.example': 'a' } });
const delegation: Delegation | undefined = behalf.currentDelegation();
export const id: string | undefined = delegation?.subject?.id;
// @ts-expect-error a wrong option is a type error: the types are there
startBehalf({ service: 1 });
`;

/** What an installation may add beyond OpenTelemetry's own packages. */
const MAX_PACKAGES = 12;
const MAX_BYTES = 5 * 2 ** 20;

const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
before(() => npm(source, 'run', 'prepack'));

test('the published package installs alone, without pg or fastify, and a program that imports it runs and type-checks', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-sdk-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { stdout: packed } = await npm(source, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? assert.fail(`no tarball: ${packed}`);
  const others = ['@opentelemetry/api'];
  await installOffline({ folder, name: '@behalf/sdk', tarball: join(folder, tarball), source, others });

  const installed = await packagesIn(join(folder, 'node_modules'));
  for (const name of ['pg', 'fastify', 'typebox', 'canonicalize'])
    assert.ok(!installed.includes(name), `${name} came along`);
  const ours = installed.filter((name) => !name.startsWith('@opentelemetry/'));
  assert.deepEqual(ours, ['@behalf/sdk', 'fastify-plugin', 'jose', 'oauth4webapi']);
  assert.ok(ours.length <= MAX_PACKAGES, `${ours.length} packages`);
  const sizes = await Promise.all(ours.map((name) => sizeOf(join(folder, 'node_modules', name))));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  t.diagnostic(`${ours.length} packages, ${(bytes / 2 ** 20).toFixed(2)} MiB beyond OpenTelemetry's own`);
  assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`);

  await writeFile(join(folder, 'program.js'), PROGRAM);
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: folder });
  assert.equal(stdout, '["behalf.hop","function",null,"e3b0c442",1]\n');
  await writeFile(join(folder, 'typed.ts'), TYPED_PROGRAM);
  await typeCheck(folder, ['typed.ts']);
});

test('the package holds its README, its page of attributes, its manifest and what was built, and nothing else', async () => {
  const { stdout } = await npm(source, 'pack', '--ignore-scripts', '--dry-run', '--json');
  const listed = JSON.parse(stdout) as
    | readonly { files: { path: string }[] }[]
    | Record<string, { files: { path: string }[] }>;
  const files = Object.values(listed).flatMap(({ files }) => files.map(({ path }) => path));
  assert.deepEqual(files.filter((path) => !path.startsWith('dist/')).toSorted(), [
    'README.md',
    'SEMCONV.md',
    'package.json',
  ]);
  const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string }>;
  };
  for (const { types } of Object.values(manifest.exports)) assert.ok(files.includes(types.slice(2)), types);
});

test('the README’s examples type-check', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-readme-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const readme = await readFile(join(source, 'README.md'), 'utf8');
  const [service, delegate, exchange] = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  const names = 'tokenIn tokenOut audience issuer scopesHeld scopesRequested scopesGranted requester'.split(' ');
  const known = names.map((name) => `declare const ${name}: NonNullable<Exchange['${name}']>;`);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, 'service.ts'), service ?? '');
  await writeFile(
    join(folder, 'exchange.ts'),
    `import type { Behalf, Exchange } from '@behalf/sdk';\ndeclare const behalf: Behalf;\n${known.join('\n')}\n${exchange}`,
  );
  await writeFile(
    join(folder, 'delegate.ts'),
    `import type { Behalf } from '@behalf/sdk';\ndeclare const behalf: Behalf;\n${delegate}`,
  );
  await typeCheck(folder, [
    'service.ts',
    'delegate.ts',
    'exchange.ts',
    '--customConditions',
    'behalf-source',
    '--allowImportingTsExtensions',
  ]);
});

/** Bytes of the files in a folder and below. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function packagesIn(modules: string): Promise<readonly string[]> {
  const names = (await readdir(modules)).filter((name) => !name.startsWith('.'));
  const scoped = names.filter((name) => name.startsWith('@'));
  const within = await Promise.all(
    scoped.map(async (scope) => (await readdir(join(modules, scope))).map((name) => `${scope}/${name}`)),
  );
  return [...names.filter((name) => !name.startsWith('@')), ...within.flat()].toSorted();
}

async function typeCheck(folder: string, args: readonly string[]): Promise<void> {
  const options = '--noEmit --strict --module nodenext --target es2024 --skipLibCheck --types node'.split(' ');
  const types = ['--typeRoots', join(root, 'node_modules', '@types')];
  await run(process.execPath, [compiler, ...options, ...types, ...args], { cwd: folder }).catch((error: unknown) =>
    assert.fail(`it does not type-check: ${(error as { stdout: string }).stdout}`),
  );
}
