import assert from 'node:assert/strict';
import { chmod, cp, lstat, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { accountFor } from '../../src/database/postgres/account.ts';
import { findPackage, type Package, usableBinaries } from '../../src/database/postgres/binaries.ts';
import { closedFolder } from './embedded.ts';

/** The package as an install without scripts leaves it (no links), in a folder only its owner may enter. */
async function packageWithoutLinks(t: TestContext): Promise<Package> {
  const { native, version } = await findPackage(process.platform, process.arch);
  const copy = join(await closedFolder(t), 'native');
  await cp(native, copy, { recursive: true, filter: async (name) => !(await lstat(name)).isSymbolicLink() });
  return { native: copy, version };
}

test('the programs are run where the package lies when the account can run them there', async () => {
  const found = await findPackage(process.platform, process.arch);
  const binaries = await usableBinaries(found, undefined, []);
  assert.equal(binaries.folder, found.native);
});

test('programs below a closed folder, or installed without their links, are copied to where the account can run them', async (t) => {
  const found = await packageWithoutLinks(t);
  const home = await closedFolder(t);
  await chmod(home, 0o755);
  const account = await accountFor(join(home, 'none'));
  const binaries = await usableBinaries(found, account, [home]);
  assert.equal(binaries.folder, join(home, `postgresql-${found.version}`));
  assert.equal((await stat(binaries.postgres)).mode & 0o777, 0o755);
  const { ino } = await stat(binaries.postgres);
  assert.equal((await usableBinaries(found, account, [home])).folder, binaries.folder);
  assert.equal((await stat(binaries.postgres)).ino, ino, 'a copy that is there is used again');
});

test('servers that copy at once share one copy', async (t) => {
  const found = await packageWithoutLinks(t);
  const home = await closedFolder(t);
  await chmod(home, 0o755);
  const account = await accountFor(join(home, 'none'));
  const all = await Promise.all([1, 2, 3].map(() => usableBinaries(found, account, [home])));
  assert.equal(new Set(all.map((each) => each.folder)).size, 1);
  assert.deepEqual(await readdir(home), [`postgresql-${found.version}`]);
});

test('programs are never taken from a folder that others may write; the next one serves', async (t) => {
  const found = await packageWithoutLinks(t);
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
