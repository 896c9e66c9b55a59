import assert from 'node:assert/strict';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { accountFor } from '../../src/database/postgres/account.ts';
import { findPackage, usableBinaries } from '../../src/database/postgres/binaries.ts';
import { closedFolder } from './embedded.ts';

/** The package as an install without scripts leaves it (no links), in a folder only its owner may enter. */
const folder = await mkdtemp(join(tmpdir(), 'behalf-database-'));
after(() => rm(folder, { recursive: true, force: true }));
const whole = await findPackage(process.platform, process.arch);
const found = { native: join(folder, 'native'), version: whole.version };
await cp(whole.native, found.native, {
  recursive: true,
  filter: async (name) => !(name.endsWith('.a') || (await lstat(name)).isSymbolicLink()),
});

test('the programs are run where the package lies when the account can run them there', async () => {
  const binaries = await usableBinaries(whole, undefined, []);
  assert.equal(binaries.folder, whole.native);
});

test('programs below a closed folder, or installed without their links, are copied once to where the account can run them', async (t) => {
  const home = await closedFolder(t);
  await chmod(home, 0o755);
  const account = await accountFor(join(home, 'none'));
  const atOnce = await Promise.all([1, 2].map(() => usableBinaries(found, account, [home])));
  for (const { folder: copy } of atOnce) assert.equal(copy, join(home, `postgresql-${found.version}`));
  assert.deepEqual(await readdir(home), [`postgresql-${found.version}`]);
  const program = atOnce[0]?.postgres ?? '';
  const { ino, mode } = await stat(program);
  assert.equal(mode & 0o777, 0o755);
  await usableBinaries(found, account, [home]);
  assert.equal((await stat(program)).ino, ino, 'a copy that is there is used again');
});

test('programs are never taken from a folder that others may write; the next one serves', async (t) => {
  const [open, closed] = [join(await closedFolder(t), 'open'), await closedFolder(t)];
  await mkdir(open);
  await chmod(open, 0o777);
  await chmod(closed, 0o755);
  const account = await accountFor(join(closed, 'none'));
  const binaries = await usableBinaries(found, account, [open, closed]);
  assert.ok(binaries.folder.startsWith(closed));
  await rm(binaries.folder, { recursive: true });
  await assert.rejects(usableBinaries(found, account, [open]), (error: Error) => {
    assert.match(error.message, /does not run here; set DATABASE_URL .*only this user may write/);
    return true;
  });
});

test('a platform without an embedded PostgreSQL is told to set DATABASE_URL', async () => {
  await assert.rejects(findPackage('sunos', 'sparc'), {
    code: 'unsupported',
    message: /PostgreSQL for sunos-sparc is not installed; set DATABASE_URL to a PostgreSQL 15 or newer/,
  });
});
