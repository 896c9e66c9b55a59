import type pg from 'pg';

/** Both the database's name and its owner's. */
const NAME = 'behalf';

/**
 * Makes the database and its owner when they are missing. The owner is no superuser: a statement smuggled into one of
 * our sessions can reach neither the server's files nor its programs.
 */
export async function ensureOwner(superuser: pg.ClientBase, password: string): Promise<void> {
  const { rows } = await superuser.query<{ role: boolean; database: boolean }>(
    `select exists (select from pg_roles where rolname = $1::text) as role,
            exists (select from pg_database where datname = $1::text) as database`,
    [NAME],
  );
  if (!rows[0]?.role) {
    // A utility statement takes no parameters; the password is base64url and needs no quoting.
    await superuser.query(`create role ${NAME} login createrole createdb password '${password}'`);
  }
  if (!rows[0]?.database) await superuser.query(`create database ${NAME} owner ${NAME}`);
}

/** Through the Unix socket, also when TCP is open. */
export function ownerUrl(password: string, socketFolder: string, port = 5432): string {
  return `postgres://${NAME}:${password}@localhost/${NAME}?host=${encodeURIComponent(socketFolder)}&port=${port}`;
}
