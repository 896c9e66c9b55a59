import { type HandOver, openHandOver, VerificationError } from '@behalf/verify';
import { parseConfig } from '#observation';
import { differs } from './difference.ts';
import type { StoredLog } from './recompute.ts';
import { selectEntry } from './sql/entry.ts';
import { type HandOverRow, selectHandOvers } from './sql/hand-over.ts';
import type { LogRow } from './sql/log.ts';

/** Which key signs checkpoints of which sizes: from `from` on, until the next. */
export type KeyHistory = readonly [KeyPeriod, ...KeyPeriod[]];
interface KeyPeriod {
  readonly from: bigint;
  readonly verifierKey: string;
}

/**
 * Recomputes who signs a log from its hand-overs: each must be the entry it says it is, and lead on from the key before,
 * signed by both. With a key from a trusted source that key must be one of them: whoever holds one of them has, by the
 * signatures on the hand-overs, vouched for its neighbours.
 */
export async function checkHandOvers(log: StoredLog, row: LogRow, trusted?: string): Promise<KeyHistory> {
  const rows = await selectHandOvers(log.db, log.logId);
  const history: [KeyPeriod, ...KeyPeriod[]] = [{ from: 0n, verifierKey: row.verifierKey }];
  for (const each of rows) {
    const { from, to } = await checkHandOver(log, each);
    const before = history.at(-1)?.verifierKey;
    if (from !== before) differ(each, `is given by ${from}, and the log's key was ${before}`);
    history.push({ from: each.leafIndex + 1n, verifierKey: to });
  }
  if (trusted === undefined || history.some(({ verifierKey }) => verifierKey === trusted)) return history;
  return [{ from: 0n, verifierKey: trusted }];
}

/** The key whose signature a checkpoint of this size must bear. */
export const keyAt = (history: KeyHistory, size: bigint): string =>
  (history.findLast(({ from }) => from <= size) ?? history[0]).verifierKey;

async function checkHandOver({ db, logId, size }: StoredLog, row: HandOverRow): Promise<HandOver> {
  const bytes = row.leafIndex < size ? await selectEntry(db, logId, row.leafIndex) : undefined;
  const change = bytes && parseConfig(bytes)?.change;
  if (change?.handOver !== row.note) differ(row, 'is not the one that entry holds');
  try {
    const handOver = await openHandOver(row.note);
    if (handOver.from !== change.from || handOver.to !== change.to)
      differ(row, 'is of other keys than its entry names');
    return handOver;
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return differ(row, `does not hold: ${error.message}`);
  }
}

function differ({ leafIndex }: HandOverRow, says: string): never {
  differs({ kind: 'hand_over', leafIndex, says: `the hand-over of the log's key at entry ${leafIndex} ${says}` });
}
