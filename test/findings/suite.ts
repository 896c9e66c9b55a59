import { type Chain, type Recorded, RULES, stitch } from '#chains';
import type { ChainSummary } from '#query';
import { DELEGATION_SCENARIOS } from './delegation-scenarios.ts';
import { HISTORY_SCENARIOS } from './history-scenarios.ts';
import { Play } from './play.ts';
import { Random } from './random.ts';
import type { Scenario, Setting } from './scenario.ts';
import { TOKEN_SCENARIOS } from './token-scenarios.ts';

export const SCENARIOS: readonly Scenario[] = [...TOKEN_SCENARIOS, ...DELEGATION_SCENARIOS, ...HISTORY_SCENARIOS];

/** Entries with the truth about them: which rule they break, or look as if they did. */
export interface Labelled {
  readonly rule: string;
  readonly kind: 'attack' | 'benign';
  readonly entries: readonly Recorded[];
  readonly setting: Setting;
}

/** So many attacks and as many benign look-alikes of every rule, the same for the same seed. */
export function labelledSuite(seed: number, perRule: number): readonly Labelled[] {
  const random = new Random(seed);
  return SCENARIOS.flatMap((scenario) =>
    (['attack', 'benign'] as const).flatMap((kind) =>
      Array.from({ length: perRule }, () => {
        const play = new Play(random);
        const setting = scenario[kind](play) ?? {};
        return { rule: scenario.rule, kind, entries: play.entries.all, setting };
      }),
    ),
  );
}

/** A chain of services that all behave: delegations, narrower scopes, calls on their own account, lost reports. */
export function benignEntries(random: Random): readonly Recorded[] {
  const play = new Play(random);
  const stop = play.delegation();
  for (let i = random.int(0, 3); i > 0; i -= 1) play.delegate(stop, random.pick(['vault', 'mail', 'crm']));
  if (random.chance(0.3)) play.call(stop, 'mail', stop.token);
  const lost = random.chance(0.2) ? random.int(0, play.entries.all.length - 1) : -1;
  return play.entries.all.filter((_, i) => i !== lost);
}

export const rulesOf = (chains: readonly Chain[]): ReadonlySet<string> =>
  new Set(chains.flatMap((chain) => chain.findings.map((finding) => finding.rule)));

/** Findings that would wake somebody: all but notices. */
export const alarmsOf = (chains: readonly Chain[]): readonly string[] =>
  chains.flatMap((chain) => chain.findings.filter(({ severity }) => severity !== 'notice').map(({ rule }) => rule));

export const judge = ({ entries, setting }: Labelled): readonly Chain[] => stitch(entries, setting);

export const rulesOfSummaries = (chains: readonly Pick<ChainSummary, 'findings'>[]): ReadonlySet<string> =>
  new Set(chains.flatMap(({ findings }) => findings));

const NOTICES: ReadonlySet<string> = new Set(RULES.filter(({ severity }) => severity === 'notice').map(({ id }) => id));

/** The same of what lists show of chains. */
export function isRightAs({ rule, kind }: Labelled, chains: readonly Pick<ChainSummary, 'findings'>[]): boolean {
  const rules = rulesOfSummaries(chains);
  return kind === 'attack' ? rules.has(rule) : !rules.has(rule) && [...rules].every((each) => NOTICES.has(each));
}

/** An attack is found when its own rule finds it; a benign one is a false alarm when that rule, or any alarm, does. */
export function isRight(labelled: Labelled): boolean {
  const chains = judge(labelled);
  const found = rulesOf(chains).has(labelled.rule);
  return labelled.kind === 'attack' ? found : !found && alarmsOf(chains).length === 0;
}
