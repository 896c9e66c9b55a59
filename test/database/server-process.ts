import { text } from 'node:stream/consumers';
import { startPostgres } from '#database';

/**
 * A server of its own process, for tests that kill it: starts PostgreSQL on the folder it is given, prints the address,
 * and stops when its input ends.
 */
const [dataDir = ''] = process.argv.slice(2);
const postgres = await startPostgres({ dataDir, onProgress: (says) => console.error(says) });
console.log(postgres.url);
await text(process.stdin);
await postgres.stop();
