import type { Database, Queryable } from '#database';
import type { LogReader } from '#ledger/read';
import type { LogPosition } from './answers.ts';
import type { PersonDiscloser } from './evidence.ts';
import type { PersonFinder } from './party-filter.ts';
import type { PersonOpener } from './party-view.ts';
import type { Alarm } from './problem-handler.ts';
import { selectProjected } from './sql/chain.ts';

export interface QueryOptions {
  readonly database: Database;
  readonly log: LogReader;
  readonly persons: PersonOpener & PersonFinder & PersonDiscloser;
  /** How far chains take account of the log, and why that does not get on when it does not. */
  readonly projection: { size(): bigint; trouble?(): Error | undefined };
  readonly verifierKey: string;
  /** The tlog-policy file that evidence carries; the log's key alone when left out. */
  readonly policy?: string;
  readonly logId?: number;
  /** Told of requests that fail for no fault of their own. */
  readonly onAlarm?: Alarm;
}

/** What every route works with. */
export interface QueryContext extends QueryOptions {
  readonly db: Queryable;
  readonly logId: number;
}

export const contextOf = (options: QueryOptions): QueryContext => ({
  ...options,
  db: options.database.pool('reader'),
  logId: options.logId ?? 1,
});

/** Read before what it speaks of: an answer may take account of more, never of less. */
export async function logPosition({ db, logId, log }: QueryContext): Promise<LogPosition> {
  const { position } = await selectProjected(db, logId);
  const [{ origin }, checkpoint] = [await log.log(), await log.checkpoint()];
  return { origin, treeSize: position, published: String(checkpoint?.size ?? 0n) };
}
