import { parseArgs } from 'node:util';
import { RULES, stitch } from '#chains';
import { Random } from '../findings/random.ts';
import { alarmsOf, benignEntries, isRight, labelledSuite } from '../findings/suite.ts';

/** `npm run bench:findings -- --seed S --chains N --json`: what the rules find, what they find wrongly, and what they cost. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    chains: { type: 'string', default: '100000' },
    'per-rule': { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const count = Number(values.chains);
const perRule = Number(values['per-rule']);
if (![seed, count, perRule].every((each) => Number.isSafeInteger(each) && each >= 0))
  throw new TypeError('bench:findings: --seed, --chains and --per-rule expect whole numbers');

const suite = labelledSuite(seed, perRule);
const share = (list: readonly boolean[]): number => list.filter(Boolean).length / Math.max(1, list.length);
const rightOf = (kind: 'attack' | 'benign', rule?: string): readonly boolean[] =>
  suite.filter((each) => each.kind === kind && (rule === undefined || each.rule === rule)).map(isRight);

const rules = RULES.map(({ id }) => ({
  rule: id,
  recall: share(rightOf('attack', id)),
  falseAlarms: 1 - share(rightOf('benign', id)),
}));
const benign = benignChains();
const report = {
  seed,
  attacks: rightOf('attack').length,
  lookAlikes: rightOf('benign').length,
  recall: share(rightOf('attack')),
  falseAlarms: 1 - share(rightOf('benign')),
  benign,
  cost: cost(),
  rules,
};
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : describe());

/** Chains of services that behave. */
function benignChains() {
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
function cost() {
  const random = new Random(seed);
  const sets = Array.from({ length: 1_000 }, () => benignEntries(random));
  const time = (rules: typeof RULES): number => {
    const from = performance.now();
    for (const entries of sets) stitch(entries, { rules });
    return performance.now() - from;
  };
  const rounds = Array.from({ length: 24 }, () => ({ without: time([]), with: time(RULES) })).slice(4);
  const without = Math.min(...rounds.map((each) => each.without));
  const all = Math.min(...rounds.map((each) => each.with));
  return { chains: sets.length, stitchingMs: without, withRulesMs: all, added: all / without - 1 };
}

function describe(): string {
  const percent = (part: number): string => `${(part * 100).toFixed(2)} %`;
  const lines = rules.map(
    (each) => `${each.rule.padEnd(24)} found ${percent(each.recall).padStart(9)}   false ${percent(each.falseAlarms)}`,
  );
  return [
    ...lines,
    `attacks ${report.attacks}: found ${percent(report.recall)} (asked: at least 95 %)`,
    `look-alikes ${report.lookAlikes}: false alarms ${percent(report.falseAlarms)} (asked: at most 1 %)`,
    `benign chains ${benign.chains}: false alarms ${percent(benign.falseAlarms)} (asked: at most 1 %) ${JSON.stringify(benign.byRule)}`,
    `rules add ${percent(report.cost.added)} to stitching (asked: at most 30 %)`,
    '',
  ].join('\n');
}
