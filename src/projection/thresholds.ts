import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { DEFAULT_THRESHOLDS, type Thresholds } from '#chains';
import { type Database, type Queryable, transaction } from '#database';
import { lockPosition } from './sql/position.ts';
import { selectThresholds, updateThresholds } from './sql/thresholds.ts';

/** Thresholds of a log's own, where they differ from the defaults. */
export type ThresholdChanges = Partial<Omit<Thresholds, 'version'>>;

/** What a log is judged by: the defaults with its changes. The version is the digest of all values, so equal sets share it. */
export function thresholdsWith(changes: ThresholdChanges): Thresholds {
  const { version, ...defaults } = DEFAULT_THRESHOLDS;
  const values = { ...defaults, ...changes };
  const text = textOf(values);
  if (text === textOf(defaults)) return DEFAULT_THRESHOLDS;
  return { ...values, version: `t-${createHash('sha256').update(text).digest('hex').slice(0, 16)}` };
}

/** The thresholds of a log, inside a step. */
export const thresholdsOf = async (db: Queryable, logId: number): Promise<Thresholds> =>
  thresholdsWith(JSON.parse(await selectThresholds(db, logId)) as ThresholdChanges); // written below

/** Sets them for a log of which nothing is judged yet; the caller holds its row. */
export const setThresholds = (db: Queryable, logId: number, changes: ThresholdChanges): Promise<void> =>
  updateThresholds(db, logId, textOf(changes));

/**
 * Takes the given thresholds as the log's where nothing is judged yet. Elsewhere those stay that judged it: chains judged by two
 * sets side by side could not be compared. Returns what an operator is to be told, if anything.
 */
export function adoptThresholds(
  database: Database,
  logId: number,
  changes: ThresholdChanges,
): Promise<string | undefined> {
  return transaction(database.pool('projector'), async (client) => {
    const position = await lockPosition(client, logId);
    const [stored, given] = [await thresholdsOf(client, logId), thresholdsWith(changes)];
    if (stored.version === given.version) return undefined;
    if (position > 0n) return later(stored, given);
    await setThresholds(client, logId, changes);
    return undefined;
  });
}

const later = (stored: Thresholds, given: Thresholds): string =>
  `thresholds: the chains of this log are judged by ${stored.version}, the given ones are ${given.version}; the former stay until behalf reindex judges all chains by the latter`;

function textOf(value: object): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('thresholds: expected a JSON object');
  return text;
}
