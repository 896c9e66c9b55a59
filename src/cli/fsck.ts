import { connectDatabase, type Database, findPostgres, openDatabase } from '#database';
import {
  type AbsentPersons,
  type AnchorsReport,
  checkAnchors,
  fsck as checkDatabase,
  type FsckReport,
  findAbsentPersons,
} from '#ledger';
import { checkProjection, type ProjectionReport } from '#projection';
import { type Command, JSON_OPTION, type Terminal, textOption } from './command.ts';
import { progressLine } from './progress.ts';
import { type Settings, settingsFrom } from './settings.ts';

/** `behalf fsck`: recomputes the log from the entry bytes in the database. */
export const fsck: Command = {
  name: 'fsck',
  summary: 'recompute the log and all that queries show from the database’s entries; names the first difference',
  options: {
    key: { value: 'vkey', says: 'also check every checkpoint’s signature with this verifier key' },
    anchors: {
      value: 'folder',
      says: 'also compare with the checkpoints that were kept aside there (BEHALF_ANCHOR_DIR)',
    },
    ...JSON_OPTION,
  },
  async run(given, terminal) {
    const database = await lookOn(settingsFrom(terminal.environment), (says) => terminal.err(`${says}\n`));
    try {
      const verifierKey = textOption(given, 'key');
      const progress = progressLine(terminal, 'entries checked');
      const report = await checkDatabase({
        database,
        logId: 1,
        ...(verifierKey === undefined ? {} : { verifierKey }),
        onProgress: progress,
      });
      progress.end();
      const trusted = verifierKey === undefined ? {} : { verifierKey };
      const folder = textOption(given, 'anchors');
      const anchors =
        report.ok && folder !== undefined ? await checkAnchors({ database, logId: 1, folder, ...trusted }) : undefined;
      const projection = report.ok ? await checkShown(database, terminal) : undefined;
      const absent = await findAbsentPersons({ database, logId: 1 });
      terminal.out(
        given.options.json === true
          ? `${toJson({ ...report, anchors, projection, absent })}\n`
          : `${describe(report, projection)}${describeAnchors(anchors)}${describeAbsent(absent)}`,
      );
      return report.ok && report.entries > 0n && projection?.ok === true && anchors?.ok !== false ? 0 : 1;
    } finally {
      await database.close();
    }
  },
};

/** What queries show is checked only where the entries hold: else there is nothing to check it against. */
async function checkShown(database: Database, terminal: Terminal): Promise<ProjectionReport> {
  const progress = progressLine(terminal, 'entries projected again');
  const report = await checkProjection({ database, logId: 1, onProgress: progress });
  progress.end();
  return report;
}

/** The database of the settings, also while a server runs on it: this command reads, and starts one only when none runs. */
async function lookOn({ databaseUrl, dataDir }: Settings, onProgress: (says: string) => void): Promise<Database> {
  const url = databaseUrl ?? (await findPostgres(dataDir));
  return url === undefined ? openDatabase({ dataDir, onProgress }) : connectDatabase({ url });
}

const toJson = (
  report: FsckReport & {
    readonly anchors: AnchorsReport | undefined;
    readonly projection: ProjectionReport | undefined;
    readonly absent: AbsentPersons;
  },
): string => JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

/** A check that examined nothing is no success. */
const describe = (report: FsckReport, projection: ProjectionReport | undefined): string =>
  report.ok && report.entries === 0n
    ? 'nothing was checked: the log has no entry yet\n'
    : report.ok
      ? `sound: ${report.entries} entries recomputed from their bytes; tiles, root and checkpoints agree\n${describeShown(projection)}`
      : `not sound after ${report.entries} entries: ${report.firstDifference?.says ?? 'no difference is named'}\n`;

function describeShown(projection: ProjectionReport | undefined): string {
  if (projection === undefined) return '';
  const { ok, entries, behind, rows, firstDifference } = projection;
  if (!ok) return `what queries show is not sound: ${firstDifference?.says ?? 'no difference is named'}\n`;
  const late = behind === 0n ? '' : `; ${behind} newer entries are not shown yet`;
  return `what queries show is what ${entries} entries give: ${rows} rows made again${late}\n`;
}

function describeAnchors(anchors: AnchorsReport | undefined): string {
  if (anchors === undefined) return '';
  if (anchors.ok) return `the log grew out of each of the ${anchors.checkpoints} checkpoints that were kept aside\n`;
  return `not what was kept aside: ${anchors.firstDifference?.says ?? 'no difference is named'}\n`;
}

/** No entry explains an absence yet, so it is told and left to the operator to judge. */
const describeAbsent = ({ persons, first }: AbsentPersons): string =>
  first === undefined
    ? ''
    : `${persons} persons cannot be named any more: erased, or their rows were taken away; the first is ${first.ref} in entry ${first.leafIndex}\n`;
