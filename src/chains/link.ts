import { byAuthority } from './authority-cause.ts';
import {
  byConversation,
  byMessage,
  bySameTrace,
  bySpanLink,
  byTopology,
  type Candidate,
  couldBeIn,
  digestOfDraft,
  entriesOf,
  headOf,
  isVerified,
  MOST_CANDIDATES,
  type Web,
  weave,
} from './candidate.ts';
import { GRADES, type Grade, type Link } from './chain.ts';
import type { Draft } from './crossing.ts';
import type { Derivation } from './derivation.ts';
import type { End } from './end.ts';
import type { Lineage } from './lineage.ts';
import { compare } from './order.ts';

/** What stands above each hop by topology alone: what tokens are compared along. */
type Above = ReadonlyMap<Draft, readonly Candidate[]>;

/** Every link, and the hops that so many others could have led to that listing them says nothing. */
export interface Linking {
  readonly links: readonly Link[];
  readonly crowded: ReadonlySet<string>; // hop ids
}

/** Links every hop to what led to it. Ambiguity gives one `ambiguous` link per candidate; nothing is chosen then. */
export function linksOf(drafts: readonly Draft[], ends: readonly End[], lineage: Lineage): Linking {
  const web = weave(drafts, ends, lineage);
  const above: Above = new Map(drafts.map((draft) => [draft, byTopology(draft, web)]));
  const links: Link[] = [];
  const crowded = new Set<string>();
  for (const draft of drafts) {
    const causes = causesOf(draft, above, web);
    if (causes.some((candidates) => candidates.length > MOST_CANDIDATES)) crowded.add(draft.id);
    const known = causes.filter((candidates) => candidates.length <= MOST_CANDIDATES);
    const [first] = known;
    if (known.length === 1 && first !== undefined) links.push(...choose(draft, first));
    else links.push(...onePerPair(known.flatMap((candidates) => choose(draft, candidates))));
  }
  return { links, crowded };
}

/** Lists of rivals: within one list the candidates exclude each other, two lists are two causes. */
function causesOf(draft: Draft, above: Above, web: Web): readonly (readonly Candidate[])[] {
  const topology = nearestOf(above.get(draft) ?? [], above);
  if (topology.length > 0) return [topology.map((candidate) => withTokens(draft, candidate, above, web))];
  for (const find of [byMessage, byAuthority]) {
    const found = find(draft, web);
    if (found.length > 0) return [found];
  }
  const linked = bySpanLink(draft, web).filter((candidates) => candidates.length > 0);
  if (linked.length > 0) return linked;
  const talked = byConversation(draft, web);
  return [talked.length > 0 ? talked : bySameTrace(draft, web)];
}

/** So far up one candidate is looked for above another: a chain that never ends is not walked to its end for every hop of it. */
const MOST_STEPS = 256;

/** Without the candidates that stand above another: an SDK names the request it serves, a span the step nearest to the call. */
function nearestOf(candidates: readonly Candidate[], above: Above): readonly Candidate[] {
  if (candidates.length < 2 || candidates.length > MOST_CANDIDATES) return candidates;
  const higher = new Set(candidates.flatMap(({ from }) => [...ancestorsOf(from, above)]));
  const nearest = candidates.filter(({ from }) => !higher.has(from));
  return nearest.length > 0 ? nearest : candidates;
}

/** What stands above a hop, as far as one hop alone does. */
function ancestorsOf(start: Draft, above: Above): ReadonlySet<Draft> {
  const found = new Set<Draft>();
  for (let next = above.get(start) ?? []; next.length === 1 && found.size < MOST_STEPS; ) {
    const [only] = next;
    if (only === undefined || only.from === start || found.has(only.from)) break;
    found.add(only.from);
    next = above.get(only.from) ?? [];
  }
  return found;
}

/** Raises a link to `proven` when the hop's token is, or was exchanged from, the token of the nearest hop above that had one. */
function withTokens(draft: Draft, candidate: Candidate, above: Above, web: Web): Candidate {
  const to = digestOfDraft(draft);
  if (to === undefined) return candidate;
  const bearer = nearestBearer(candidate.from, above, web.bearers);
  const from = bearer && digestOfDraft(bearer);
  if (bearer === undefined || from === undefined || !isVerified(bearer)) return candidate;
  if (headOf(draft).isUnsure || !isPlausible(draft, candidate.from)) return candidate;
  const path = web.lineage.path(from, to);
  if (path === undefined) return candidate;
  const says = saysOf(path);
  const entries = [...entriesOf(bearer), ...path.map(({ leaf }) => leaf), ...entriesOf(draft)];
  // Where nobody reports making the call, a span id alone tells who made it.
  const grade = headOf(draft).side === 'callee' ? 'corroborated' : 'proven';
  return { ...candidate, grade, rests: [{ says, entries }, ...candidate.rests] };
}

function saysOf(path: readonly Derivation[]): string {
  if (path.length === 0) return 'carries the same verified token as the hop before';
  return path.every(({ exchange }) => exchange !== undefined)
    ? `its token was exchanged from the token of the hop before (${path.length} observed)`
    : `its token names the token of the hop before as its parent, by ${path.length} verified steps`;
}

const isPlausible = (draft: Draft, from: Draft): boolean =>
  [from.caller, from.callee].some((end) => end !== undefined && couldBeIn(headOf(draft), end));

/** Walks up only where one hop alone stands above: past a fork, whose token it was would be a guess. Each answer is kept for all below. */
function nearestBearer(start: Draft, above: Above, bearers: Map<Draft, Draft | undefined>): Draft | undefined {
  const passed = new Set<Draft>();
  let at: Draft | undefined = start;
  while (at !== undefined && digestOfDraft(at) === undefined) {
    if (bearers.has(at)) {
      at = bearers.get(at);
      break;
    }
    const next: readonly Candidate[] = above.get(at) ?? [];
    passed.add(at);
    at = next.length === 1 && next[0] !== undefined && !passed.has(next[0].from) ? next[0].from : undefined;
  }
  for (const each of passed) bearers.set(each, at);
  return at;
}

function choose(draft: Draft, candidates: readonly Candidate[]): readonly Link[] {
  const [only, ...others] = candidates;
  if (only === undefined) return [];
  if (others.length === 0) return [linkOf(draft, only, only.grade)];
  const best = Math.min(...candidates.map((candidate) => GRADES.indexOf(candidate.grade)));
  const chosen = candidates
    .filter((candidate) => GRADES.indexOf(candidate.grade) === best)
    .toSorted((a, b) => compare(a.from.id, b.from.id));
  return chosen.map((each) => linkOf(draft, each, chosen.length > 1 ? 'ambiguous' : each.grade));
}

const linkOf = ({ id: to }: Draft, { from, rests }: Candidate, grade: Grade): Link => ({
  from: from.id,
  to,
  grade,
  rests,
});

/** Two causes may name one hop: the better known stays. */
function onePerPair(links: readonly Link[]): readonly Link[] {
  const best = new Map<string, Link>();
  for (const link of links) {
    const known = best.get(link.from);
    if (known === undefined || GRADES.indexOf(link.grade) < GRADES.indexOf(known.grade)) best.set(link.from, link);
  }
  return [...best.values()];
}
