import pg from 'pg';
import { isRetryable } from './retryable.ts';

/**
 * Runs `run` between begin and commit on one connection. Resolves only after the server confirmed the commit; on any
 * error the transaction is rolled back and the error is rethrown. When the connection was lost meanwhile it is not known
 * whether the commit happened: the caller must be able to find out.
 */
export async function transaction<T>(pool: pg.Pool, run: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Without a listener, a connection that dies between two statements would end the process.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin');
    const result = await run(client);
    await commit(client);
    return result;
  } catch (error) {
    broken ??= lost(error) ?? (await rollback(client));
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** A failed statement that `run` swallowed makes the server answer ROLLBACK to a commit: that must not pass for success. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit');
  if (command !== 'COMMIT') {
    throw new Error(`transaction: expected COMMIT, the server answered ${command}; a failed statement was ignored`);
  }
}

/** The connection is gone or silent: nothing can be rolled back on it, and the server does so by itself. */
function lost(error: unknown): Error | undefined {
  const bySocket = error instanceof Error && !(error instanceof pg.DatabaseError) && isRetryable(error);
  return bySocket ? error : undefined;
}

/** What made the connection unfit for reuse, if anything did. */
async function rollback(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await client.query('rollback');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('rollback failed');
  }
}
