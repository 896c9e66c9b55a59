import type { Duplex } from 'node:stream';
import type pg from 'pg';

/**
 * `pool.query`, which also tells when all bytes of the statement have left this process. A socket takes them piece by piece,
 * between other work: whoever computes in the meantime keeps the server waiting for the rest. `onSent` is called once, also
 * when the connection ends. Rejects as `pool.query` does; a connection that failed is not used again.
 */
export async function queryTellingSent(
  pool: pg.Pool,
  query: pg.QueryConfig,
  onSent: () => void,
): Promise<pg.QueryResult> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    const answer = client.query(query);
    void emptied(client.connection.stream).then(onSent);
    return await answer;
  } catch (error) {
    broken ??= error instanceof Error ? error : new Error('the statement failed');
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

const emptied = (socket: Duplex): Promise<void> =>
  new Promise((resolve) => {
    if (!socket.writableNeedDrain) return resolve();
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
