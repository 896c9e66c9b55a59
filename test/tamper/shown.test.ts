import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transaction } from '#database';
import { checkProjection } from '#projection';
import { observationsOf, testApi } from '../query/api.ts';
import { cases } from '../web/cases.ts';

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

/** Another value of the same type, whatever the value was. */
const OTHER: Readonly<Record<string, (column: string) => string>> = {
  text: (column) => `coalesce(${column}, '') || '0'`,
  ARRAY: (column) => `array_append(coalesce(${column}, '{}'), (coalesce(${column}, '{}'))[1])`,
  bigint: (column) => `coalesce(${column}, 0) + 1000003`,
  integer: (column) => `coalesce(${column}, 0) + 7`,
  numeric: (column) => `coalesce(${column}, 0) + 1`,
  bytea: (column) => `set_byte(${column}, 0, get_byte(${column}, 0) # 1)`,
  uuid: (column) => `translate(${column}::text, '0123456789abcdef', '123456789abcdef0')::uuid`,
  boolean: (column) => `not coalesce(${column}, false)`,
  jsonb: (column) => `jsonb_build_array(${column})`,
};

test('every value of every row that queries are answered from is held against the entries', async (t) => {
  const { database, take, projection } = await testApi(t);
  await take(observationsOf(cases().all));
  await projection.close();
  const owner = database.pool('owner');
  const { rows: columns } = await owner.query<Column>(
    `select g.table_name as table, c.column_name as column, c.data_type as type
     from information_schema.role_table_grants g
     join information_schema.columns c on c.table_schema = g.table_schema and c.table_name = g.table_name
     where g.table_schema = 'behalf' and g.grantee = 'behalf_projector' and g.privilege_type = 'INSERT'
       and c.column_name <> 'log_id' and g.table_name <> 'projection'
     order by 1, c.ordinal_position`,
  );
  assert.ok(columns.length > 40, `${columns.length} columns`);
  const sound = await checkProjection({ database, logId: 1 });
  assert.ok(sound.ok && sound.rows > 50n, sound.firstDifference?.says);
  // Constraints are in the owner's hands too: what a value may be stops nobody who forges.
  const { rows: limits } = await owner.query<{ drop: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop
     from pg_constraint where contype = 'c' and connamespace = 'behalf'::regnamespace and conrelid = any($1::regclass[])`,
    [columns.map(({ table }) => `behalf.${table}`)],
  );
  for (const { drop } of limits) await owner.query(drop);
  const unfilled = new Set<string>();
  for (const { table, column, type } of columns) {
    const other = OTHER[type]?.(column) ?? assert.fail(`${table}.${column} is of type ${type}: say how to change it`);
    await owner.query(`create table public.kept as select * from behalf.${table}`);
    const { rowCount } = await owner.query(
      `update behalf.${table} set ${column} = ${other} where ctid = (select ctid from behalf.${table} where log_id = 1 offset 1 limit 1)`,
    );
    if (rowCount === 0) unfilled.add(table);
    else {
      const { ok, firstDifference } = await checkProjection({ database, logId: 1 });
      assert.equal(ok, false, `${table}.${column} was changed, and nothing tells`);
      assert.match(firstDifference?.says ?? '', /is not what the entries give|takes account of/, `${table}.${column}`);
    }
    await transaction(owner, async (client) => {
      await client.query(`delete from behalf.${table}`);
      await client.query(`insert into behalf.${table} select * from public.kept`);
      await client.query('drop table public.kept');
    });
  }
  assert.equal((await checkProjection({ database, logId: 1 })).ok, true, 'all of it is as it was');
  t.diagnostic(`${columns.length} columns; without two rows here: ${[...unfilled].join(', ') || 'none'}`);
  for (const table of ['chain', 'hop', 'finding', 'party']) assert.ok(!unfilled.has(table), table);
});
