import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { connectDatabase, migrate } from '#database';
import { fsck, openLedger } from '#ledger';
import { ask } from '../database/embedded.ts';
import { otherPostgres } from '../database/other-postgres.ts';
import { temporaryFolder } from './harness.ts';
import { hops } from './observations.ts';

/** Where Debian keeps a PostgreSQL with its dump programs; the embedded one has none. */
const BIN = '/usr/lib/postgresql/15/bin';
const run = promisify(execFile);

test('fsck works on a restored dump: it is the log that was dumped, and a change in it is found', async (t) => {
  if (!existsSync(join(BIN, 'pg_dump'))) return t.skip(`there is no pg_dump in ${BIN}`);
  const admin = await otherPostgres(t, BIN);
  const named = (database: string) => admin.replace('localhost/postgres', `localhost/${database}`);
  await ask(admin, 'create database dumped');
  await ask(admin, 'create database restored');
  await migrate(named('dumped'));
  const database = connectDatabase({ url: named('dumped') });
  t.after(() => database.close());
  const keyFolder = await temporaryFolder(t);
  const ledger = await openLedger({ database, keyFolder, onAlarm: assert.ifError });
  await ledger.append(hops(700));
  await ledger.publish();
  const { verifierKey } = ledger;
  await ledger.close();

  const folder = await temporaryFolder(t);
  const file = join(folder, 'log.dump');
  await run(join(BIN, 'pg_dump'), ['--format=custom', `--dbname=${named('dumped')}`, `--file=${file}`]);
  await run(join(BIN, 'pg_restore'), ['--exit-on-error', `--dbname=${named('restored')}`, file]);

  const restored = connectDatabase({ url: named('restored') });
  t.after(() => restored.close());
  const before = await fsck({ database, logId: 1, verifierKey });
  assert.equal(before.ok, true);
  assert.equal(before.entries, 700n);
  assert.deepEqual(await fsck({ database: restored, logId: 1, verifierKey }), before);

  const owner = restored.pool('owner');
  await assert.rejects(owner.query('delete from behalf.entry_bundle'), /append-only/);
  await owner.query(
    `set session_replication_role = replica; update behalf.entry_bundle set bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 4) where first_index = 256`,
  );
  const after = await fsck({ database: restored, logId: 1, verifierKey });
  assert.equal(after.ok, false);
  assert.equal(after.firstDifference?.leafIndex, 256n);
});
