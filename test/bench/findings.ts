/*
 * What the rules find, what they find wrongly, and what they cost: the labelled suite as OTLP through the whole path, benign
 * chains stitched in memory, and stitching with and without rules in turn.
 * `npm run bench:findings -- --seed 1 --per-rule 7 --chains 100000 --json`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Chain, type Recorded, RULES, stitch } from '#chains';
import { openDatabase } from '#database';
import { judgeByPath } from '../findings/path.ts';
import { Random } from '../findings/random.ts';
import { alarmsOf, benignEntries, isRightAs, type Labelled, labelledSuite } from '../findings/suite.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    chains: { type: 'string', default: '100000' },
    'per-rule': { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const HELP = `bench:findings [--seed S] [--per-rule N] [--chains N] [--json]
  --per-rule  attacks, and as many look-alikes, of each rule, sent as OTLP through the whole path (default 7)
  --chains    benign chains that are stitched and judged in memory (default 100000)
`;
/** Of stitching with and without rules: many, because a busy machine spoils most. */
const ROUNDS = 60;

if (values.help) process.stdout.write(HELP);
else await main();

interface Judgement {
  readonly labelled: Labelled;
  readonly isRight: boolean;
}

async function main(): Promise<void> {
  const [seed, count, perRule] = [Number(values.seed), Number(values.chains), Number(values['per-rule'])];
  if (![seed, count, perRule].every((each) => Number.isSafeInteger(each) && each >= 0))
    throw new TypeError('bench:findings: --seed, --chains and --per-rule expect whole numbers');
  const report = {
    seed,
    ...suiteReport(await throughPath(labelledSuite(seed, perRule))),
    benign: benignChains(seed, count),
    cost: cost(seed),
  };
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : describe(report));
}

/** On a database of its own. */
async function throughPath(suite: readonly Labelled[]): Promise<readonly Judgement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
  const database = await openDatabase({ dataDir: join(folder, 'data') });
  const onAlarm = (error: unknown): never => {
    throw error;
  };
  try {
    const judged = await judgeByPath(suite, { database, folder, onAlarm });
    return judged.map(({ labelled, chains }) => ({ labelled, isRight: isRightAs(labelled, chains) }));
  } finally {
    await database.close();
    await rm(folder, { recursive: true });
  }
}

function suiteReport(judged: readonly Judgement[]) {
  const share = (list: readonly Judgement[]): number =>
    list.filter(({ isRight }) => isRight).length / Math.max(1, list.length);
  const of = (kind: Labelled['kind'], rule?: string): readonly Judgement[] =>
    judged.filter(({ labelled }) => labelled.kind === kind && (rule === undefined || labelled.rule === rule));
  const rules = RULES.map(({ id }) => ({
    rule: id,
    attacks: of('attack', id).length,
    recall: share(of('attack', id)),
    lookAlikes: of('benign', id).length,
    falseAlarms: 1 - share(of('benign', id)),
  }));
  return {
    attacks: of('attack').length,
    lookAlikes: of('benign').length,
    recall: share(of('attack')),
    falseAlarms: 1 - share(of('benign')),
    rules,
  };
}

/** Chains of services that behave. */
function benignChains(seed: number, count: number) {
  const random = new Random(seed);
  const byRule = new Map<string, number>();
  let alarmed = 0;
  for (let i = 0; i < count; i += 1) {
    const alarms = new Set(alarmsOf(stitch(benignEntries(random))));
    if (alarms.size > 0) alarmed += 1;
    for (const rule of alarms) byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
  }
  return { chains: count, falseAlarms: alarmed / Math.max(1, count), byRule: Object.fromEntries(byRule) };
}

/** What rules add to stitching: the fastest of several rounds, in turn with and without them, after some to warm up. */
function cost(seed: number) {
  const random = new Random(seed);
  const sets: readonly (readonly Recorded[])[] = Array.from({ length: 1_000 }, () => benignEntries(random));
  const time = (rules: typeof RULES): number => {
    const from = performance.now();
    const made: (readonly Chain[])[] = sets.map((entries) => stitch(entries, { rules }));
    return made.length === sets.length ? performance.now() - from : Number.NaN;
  };
  const rounds = Array.from({ length: ROUNDS + 4 }, () => ({ without: time([]), with: time(RULES) })).slice(4);
  const without = Math.min(...rounds.map((each) => each.without));
  const all = Math.min(...rounds.map((each) => each.with));
  return { chains: sets.length, stitchingMs: without, withRulesMs: all, added: all / without - 1 };
}

type Report = ReturnType<typeof suiteReport> & {
  readonly benign: ReturnType<typeof benignChains>;
  readonly cost: ReturnType<typeof cost>;
};

function describe({ rules, benign, ...report }: Report): string {
  const percent = (part: number): string => `${(part * 100).toFixed(2)} %`;
  const lines = rules.map(
    (each) => `${each.rule.padEnd(24)} found ${percent(each.recall).padStart(9)}   false ${percent(each.falseAlarms)}`,
  );
  return [
    ...lines,
    `attacks ${report.attacks}, as OTLP through the whole path: found ${percent(report.recall)} (asked: at least 95 %)`,
    `look-alikes ${report.lookAlikes}: false alarms ${percent(report.falseAlarms)} (asked: at most 1 %)`,
    `benign chains ${benign.chains}: false alarms ${percent(benign.falseAlarms)} (asked: at most 1 %) ${JSON.stringify(benign.byRule)}`,
    `rules add ${percent(report.cost.added)} to stitching (asked: at most 30 %)`,
    '',
  ].join('\n');
}
