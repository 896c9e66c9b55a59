import type pg from 'pg';
import { DatabaseError } from './errors.ts';

/** The roles that migrations grant to. None can log in; whoever owns the schema may become each of them. */
const ROLES = ['behalf_writer', 'behalf_reader', 'behalf_projector'] as const;

/**
 * Makes the roles that are missing and lets the connected user take each on. Roles belong to the whole server, so
 * another database's migration may have made them. From PostgreSQL 16 membership alone does not allow `set role`: it is
 * granted `with set true`, and without inheritance, so the owner's own statements gain nothing by it.
 */
export async function ensureRoles(client: pg.ClientBase): Promise<void> {
  for (const role of ROLES) {
    await makeRole(client, role);
    if (!(await maySet(client, role))) await grantRole(client, role);
  }
}

async function makeRole(client: pg.ClientBase, role: string): Promise<void> {
  try {
    await client.query(`do $$ begin
      if not exists (select from pg_catalog.pg_roles where rolname = '${role}') then
        create role ${role} nologin;
      end if;
    exception when duplicate_object or unique_violation then null; -- made meanwhile for another database
    end $$`);
  } catch (error) {
    throw refused(role, error);
  }
}

async function maySet(client: pg.ClientBase, role: string): Promise<boolean> {
  const kind = (await serverVersion(client)) >= 160_000 ? 'set' : 'member';
  const { rows } = await client.query<{ may: boolean }>('select pg_has_role(current_user, $1::text, $2::text) as may', [
    role,
    kind,
  ]);
  return rows[0]?.may === true;
}

async function grantRole(client: pg.ClientBase, role: string): Promise<void> {
  const options = (await serverVersion(client)) >= 160_000 ? 'with set true, inherit false' : '';
  try {
    await client.query(`do $$ begin
      grant ${role} to current_user ${options};
    exception when unique_violation then null; -- granted meanwhile for another database
    end $$`);
  } catch (error) {
    throw refused(role, error);
  }
}

/** As in `server_version_num`: 180004 is 18.4. */
export async function serverVersion(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ num: string }>(`select current_setting('server_version_num') as num`);
  return Number(rows[0]?.num);
}

function refused(role: string, cause: unknown): unknown {
  const lacksPrivilege = cause instanceof Error && 'code' in cause && cause.code === '42501';
  if (!lacksPrivilege) return cause;
  return new DatabaseError(
    'configuration',
    `the database user may not make or take on the role ${role}; give it CREATEROLE, or let an administrator run: create role ${role} nologin; grant ${role} to <user>`,
    { cause },
  );
}
