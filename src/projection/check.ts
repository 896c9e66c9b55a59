import { type Database, type Queryable, transaction } from '#database';
import { openLogReader } from '#ledger/read';
import { BATCH } from './follow.ts';
import { Memory } from './memory.ts';
import { compareRows, type DifferingRow, keepRows } from './sql/compare.ts';
import { deleteProjection, lockPosition } from './sql/position.ts';
import { takeInto } from './step.ts';

export interface CheckOptions {
  readonly database: Database;
  readonly logId: number;
  readonly onProgress?: (position: bigint, of: bigint) => void;
}

export interface ProjectionReport {
  /** True when every row of the projection is what the entries give, and none is missing. */
  readonly ok: boolean;
  readonly entries: bigint; // that the projection says it takes account of
  readonly behind: bigint; // entries sequenced after those
  readonly rows: bigint; // compared
  readonly firstDifference?: { readonly leafIndex?: bigint; readonly says: string };
}

/**
 * Builds a log's projection again from its entries and compares every row with what is stored, then undoes all of it: what
 * queries show is what the entries say, and nothing of it is hidden. Entries are taken as they are: fsck judges those.
 * Followers of the log wait meanwhile; of a large log, check a restored copy.
 */
export async function checkProjection(options: CheckOptions): Promise<ProjectionReport> {
  const { database, logId } = options;
  const { size } = await openLogReader({ database, logId }).log();
  try {
    return await transaction(database.pool('projector'), async (client) => {
      const position = await lockPosition(client, logId);
      if (position > size) throw new Undone(beyond(position, size));
      await keepRows(client, logId);
      await rebuild(client, position, options);
      const { rows, first } = await compareRows(client, logId);
      throw new Undone(report({ entries: position, behind: size - position, rows }, first));
    });
  } catch (error) {
    if (error instanceof Undone) return error.report;
    throw error;
  }
}

/** Ends the transaction without a trace. */
class Undone extends Error {
  readonly report: ProjectionReport;
  constructor(report: ProjectionReport) {
    super('checked');
    this.report = report;
  }
}

async function rebuild(client: Queryable, to: bigint, { database, logId, onProgress }: CheckOptions): Promise<void> {
  const log = openLogReader({ database, logId });
  const memory = new Memory();
  await deleteProjection(client, logId);
  for (let position = 0n; position < to; ) {
    const count = to - position < BigInt(BATCH) ? Number(to - position) : BATCH;
    const entries = await log.entries(position, count);
    if (entries.length < count)
      throw new Error(`entry ${position + BigInt(entries.length)} is missing; run behalf fsck`);
    await takeInto(client, logId, entries, memory);
    position += BigInt(count);
    onProgress?.(position, to);
  }
}

function report(
  counted: Pick<ProjectionReport, 'entries' | 'behind' | 'rows'>,
  first: DifferingRow | undefined,
): ProjectionReport {
  if (first === undefined && counted.entries === 0n && counted.behind > 0n) return nothingShown(counted);
  if (first === undefined) return { ok: true, ...counted };
  const { table, key, kind, leafIndex } = first;
  const says = `${table} ${key} is ${kind}: it is not what the entries give; the entries are the truth: rebuild the projection`;
  return { ok: false, ...counted, firstDifference: { says, ...(leafIndex === undefined ? {} : { leafIndex }) } };
}

/** A check that examined nothing holds nothing: whoever empties the projection hides every entry. */
const nothingShown = (counted: Pick<ProjectionReport, 'entries' | 'behind' | 'rows'>): ProjectionReport => ({
  ok: false,
  ...counted,
  firstDifference: {
    leafIndex: 0n,
    says: `none of ${counted.behind} entries is shown: no server projects this log yet, or its projection was emptied; start one, or run behalf reindex`,
  },
});

const beyond = (position: bigint, size: bigint): ProjectionReport => ({
  ok: false,
  entries: position,
  behind: 0n,
  rows: 0n,
  firstDifference: { leafIndex: size, says: `the projection says it takes account of ${position} entries of ${size}` },
});
