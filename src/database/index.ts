/**
 * The PostgreSQL that everything is kept in: found or started, migrated, and reached through one pool for each role.
 * Nothing is confirmed before its commit is on disk, no message holds a password, and the embedded server neither loses
 * data nor outlives its process. Proven by test/database.
 */

export type { ConnectOptions, Database, Queryable, Role } from './connect.ts';
export { connectDatabase } from './connect.ts';
export type { DatabaseErrorCode } from './errors.ts';
export { DatabaseError } from './errors.ts';
export type { Progress } from './migrate.ts';
export { migrate } from './migrate.ts';
export type { OpenDatabaseOptions } from './open.ts';
export { openDatabase } from './open.ts';
export { findPostgres } from './postgres/find.ts';
export type { StartPostgresOptions } from './postgres/start.ts';
export { startPostgres } from './postgres/start.ts';
export type { RunningPostgres } from './postgres/supervisor.ts';
export { isRetryable } from './retryable.ts';
export { queryTellingSent } from './tell-sent.ts';
export { transaction } from './transaction.ts';
