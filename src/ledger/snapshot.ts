import { type Database, type Queryable, transaction } from '#database';

/** Reads one state of the database: what commits meanwhile is not seen. Nothing can be written. */
export function snapshot<T>(database: Database, run: (reader: Queryable) => Promise<T>): Promise<T> {
  return transaction(database.pool('reader'), async (client) => {
    await client.query('set transaction isolation level repeatable read, read only');
    return run(client);
  });
}
