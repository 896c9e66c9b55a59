import type { Hop } from '#chains';
import type { Database } from '#database';
import { openParties, type PersonOpener, partiesOfHop, showHop } from '#query';
import { type ExportFormat, headOf, lineOf } from './hop-line.ts';
import { type HopRow, selectHopsOfPeriod } from './sql/hops.ts';

export interface ExportOptions {
  readonly database: Database;
  readonly persons: PersonOpener;
  readonly logId?: number;
  /** Decimal unix nanoseconds: from included, to not. */
  readonly from: string;
  readonly to: string;
  readonly format: ExportFormat;
}

/** Hops read at once: what bounds an export's memory, however long the period. */
const PAGE = 500;

/**
 * The hops of a period in order of time, as text in pieces, persons by name. Each hop once; what arrives while it runs may or may
 * not be in it. The reader sets the pace.
 */
export async function* exportHops(options: ExportOptions): AsyncGenerator<string, void, undefined> {
  const { database, persons, format, logId = 1 } = options;
  const head = headOf(format);
  if (head !== '') yield head;
  for (let last: HopRow | undefined; ; ) {
    const rows = await selectHopsOfPeriod(database.pool('reader'), logId, options, last, PAGE);
    if (rows.length > 0) yield await linesOf(rows, persons, format);
    last = rows.at(-1);
    if (rows.length < PAGE) return;
  }
}

async function linesOf(rows: readonly HopRow[], persons: PersonOpener, format: ExportFormat): Promise<string> {
  const hops = rows.map(({ body }) => JSON.parse(body) as Hop);
  const opened = await openParties(persons, hops.flatMap(partiesOfHop));
  return rows
    .flatMap(({ chainId, rules }, i) => {
      const hop = hops[i];
      return hop === undefined ? [] : [lineOf(format, { chain: chainId, findings: rules, hop: showHop(hop, opened) })];
    })
    .join('');
}
