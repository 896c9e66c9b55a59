import { type Fact, GRADES, type Grade } from './chain.ts';
import type { Draft } from './crossing.ts';
import { digestOf, type End, firstOf, indexBySpan, isVerifiedBy, leafIndexesOf, parentsOf, stepsUp } from './end.ts';
import { type Lineage, type SeenExchange, spanKeysOf } from './lineage.ts';
import { groupBy } from './order.ts';

/** A hop that could have led to another, and how well that is known. */
export interface Candidate {
  readonly from: Draft;
  readonly grade: Grade;
  readonly rests: readonly Fact[];
}

/** Everything that finding one hop's predecessor needs to look up. */
export interface Web {
  readonly drafts: readonly Draft[];
  readonly bySpan: ReadonlyMap<string, readonly End[]>;
  readonly draftsOf: ReadonlyMap<End, readonly Draft[]>;
  readonly byDigest: ReadonlyMap<string, readonly Draft[]>;
  readonly byTrace: ReadonlyMap<string, readonly Draft[]>;
  readonly lineage: Lineage;
}

export function weave(drafts: readonly Draft[], ends: readonly End[], lineage: Lineage): Web {
  const draftsOf = new Map<End, Draft[]>();
  for (const draft of drafts) {
    for (const end of [draft.caller, draft.callee]) {
      if (end === undefined) continue;
      const known = draftsOf.get(end);
      if (known === undefined) draftsOf.set(end, [draft]);
      else known.push(draft);
    }
  }
  return {
    drafts,
    bySpan: indexBySpan(ends),
    draftsOf,
    byDigest: groupBy(drafts, digestOfDraft),
    byTrace: groupBy(drafts, (draft) => headOf(draft).traceId),
    lineage,
  };
}

/** The end nearest to what caused the hop: the caller's, or the callee's when nobody reported the call. */
export const headOf = (draft: Draft): End => {
  const head = draft.caller ?? draft.callee;
  if (head === undefined) throw new TypeError('draft: has neither end');
  return head;
};

/** By the cause the reporter names, else by span parentage. */
export function byTopology(draft: Draft, web: Web): readonly Candidate[] {
  const head = headOf(draft);
  const found = new Map<Draft, Candidate>();
  const consider = (end: End, given: Grade, says: string) => {
    const grade = couldBeIn(head, end) ? given : 'inferred';
    for (const from of web.draftsOf.get(end) ?? []) {
      if (from === draft || found.has(from)) continue;
      found.set(from, { from, grade, rests: [{ says, entries: [...leafIndexesOf(end), ...leafIndexesOf(head)] }] });
    }
  };
  for (const { entry } of head.accounts) {
    if (entry.cause === undefined) continue;
    const [grade, says] =
      entry.source.vocabulary === 'behalf'
        ? (['asserted', 'the service names the request it was serving'] as const)
        : (['inferred', 'an ancestor of its span'] as const);
    for (const end of web.bySpan.get(`${entry.cause.traceId}/${entry.cause.spanId}`) ?? []) consider(end, grade, says);
  }
  if (found.size === 0) for (const end of parentsOf(head, web.bySpan)) consider(end, 'inferred', 'span parentage');
  return [...found.values()];
}

/** False when a call or step is laid to a span that another program sent: one span id stands for two things, or a span between is missing. */
export const couldBeIn = (head: End, end: End): boolean =>
  head.side === 'callee' ||
  (head.service === end.service && (head.instance ?? end.instance) === (end.instance ?? head.instance));

/**
 * For a hop that names no known cause: the hops that carried its token before it, and those whose token its own was
 * exchanged from, nearest exchange first. Whoever reports making the call must have been reached. A token whose use is
 * already accounted for by both sides of another hop leads nowhere when nobody reports the call: it is a repeat.
 */
export function byAuthority(draft: Draft, web: Web): readonly Candidate[] {
  const digest = digestOfDraft(draft);
  if (digest === undefined || isRepeated(draft, digest, web)) return [];
  const holders =
    draft.caller === undefined
      ? []
      : (web.byDigest.get(digest) ?? []).filter((other) => other !== draft && hasReached(other, draft));
  const seen = new Set<string>([digest]);
  let tokens: readonly string[] = [digest];
  for (let steps = 1; tokens.length > 0; steps += 1) {
    const exchanges = tokens.flatMap((token) => web.lineage.mintedBy(token));
    const found = exchanges.flatMap((exchange) => bearersOf(exchange, draft, steps, web));
    const near =
      steps === 1 ? [...holders.map((from) => passedOn(from, draft)), ...found.filter(isFitting(draft))] : [];
    if (near.length > 0) return strongestPerHop(near);
    if (found.length > 0) return strongestPerHop(found);
    tokens = [...new Set(exchanges.map(({ entry }) => entry.tokenIn))].filter((token) => !seen.has(token));
    for (const token of tokens) seen.add(token);
  }
  return [];
}

const isRepeated = (draft: Draft, digest: string, web: Web): boolean =>
  draft.caller === undefined &&
  (web.byDigest.get(digest) ?? []).some(
    (other) => other !== draft && other.caller !== undefined && other.callee !== undefined,
  );

const isFitting =
  (draft: Draft) =>
  ({ from }: Candidate): boolean =>
    hasReached(from, draft);

/** False when a hop is known to have reached another service than the one that makes the call. */
function hasReached(from: Draft, draft: Draft): boolean {
  if (draft.caller === undefined) return true;
  const reached = from.callee?.service ?? firstOf([from.caller], ({ transport }) => transport.peerService);
  return reached === undefined || reached === draft.caller.service;
}

const passedOn = (from: Draft, draft: Draft): Candidate => ({
  from,
  grade: 'asserted',
  rests: [
    {
      says: 'carries the same token; how it was passed on was not seen',
      entries: [...entriesOf(from), ...entriesOf(draft)],
    },
  ],
});

/**
 * The hops that carried the token of an exchange. `proven` is only the one whose handling the exchange is seen to have
 * been made in, for a call that the same service reports making. Elsewhere the token shows whose authority it is, not
 * which of its uses led here, nor who passed it on: one use may have gone unreported. A token that was itself made for
 * one step is hardly used twice, a person's all day.
 */
function bearersOf(exchange: SeenExchange, draft: Draft, steps: number, web: Web): readonly Candidate[] {
  const { tokenIn, tokenOut = '' } = exchange.entry;
  const bearers = (web.byDigest.get(tokenIn) ?? []).filter((bearer) => bearer !== draft);
  const around = steps === 1 ? bearerAround(exchange, new Set(bearers), web) : undefined;
  const isOwnCall = ({ callee }: Draft) =>
    callee !== undefined && isVerifiedBy(callee) && callee.service === draft.caller?.service;
  const isSole = steps === 1 && web.lineage.mintedBy(tokenIn).length > 0 && web.byDigest.get(tokenOut)?.length === 1;
  const rests = (from: Draft, says: string) => [
    { says, entries: [...entriesOf(from), String(exchange.leafIndex), ...entriesOf(draft)] },
  ];
  if (around !== undefined && isOwnCall(around)) {
    const says = 'its token was exchanged from this hop’s token, in the handling of this hop';
    return [{ from: around, grade: 'proven', rests: rests(around, says) }];
  }
  return (around === undefined ? bearers : [around]).map((from) => ({
    from,
    grade: isSole && isOwnCall(from) ? 'corroborated' : 'asserted',
    rests: rests(
      from,
      steps === 1
        ? 'its token was exchanged from this hop’s token; where, or by whom it was passed on, was not seen'
        : `its token descends from this hop’s token by ${steps} exchanges; what stood between was not observed`,
    ),
  }));
}

/** The bearer in whose handling the exchange was made: the first that stands above it, if nothing on the way up forks. */
function bearerAround({ entry }: SeenExchange, bearers: ReadonlySet<Draft>, web: Web): Draft | undefined {
  const seen = new Set<End>();
  let keys = entry.trace === undefined ? [] : spanKeysOf(entry.trace);
  for (;;) {
    const key = keys.find((each) => web.bySpan.has(each));
    const ends = (key === undefined ? [] : (web.bySpan.get(key) ?? [])).filter((end) => !seen.has(end));
    const drafts = new Set(ends.flatMap((end) => web.draftsOf.get(end) ?? []));
    const [only] = drafts;
    if (only === undefined || drafts.size > 1 || ends.some((end) => end.isUnsure)) return undefined;
    if (bearers.has(only)) return only;
    for (const end of ends) seen.add(end);
    keys = ends.flatMap(stepsUp);
  }
}

/** Several exchanges may have made one token, of one token: the best known way to each hop stays. */
function strongestPerHop(candidates: readonly Candidate[]): readonly Candidate[] {
  const best = new Map<Draft, Candidate>();
  for (const candidate of candidates) {
    const known = best.get(candidate.from);
    if (known === undefined || GRADES.indexOf(candidate.grade) < GRADES.indexOf(known.grade))
      best.set(candidate.from, candidate);
  }
  return [...best.values()];
}

/** One list per span a hop links to: a consumer of several messages has several causes, each known on its own. */
export function bySpanLink(draft: Draft, web: Web): readonly (readonly Candidate[])[] {
  const links = headOf(draft).accounts.flatMap(({ entry }) => entry.trace?.links ?? []);
  return [...new Set(links.map(({ traceId, spanId }) => `${traceId}/${spanId}`))].map((named) =>
    [...new Set((web.bySpan.get(named) ?? []).flatMap((end) => web.draftsOf.get(end) ?? []))]
      .filter((from) => from !== draft)
      .map((from) => ({
        from,
        grade: 'asserted',
        rests: [{ says: 'a span link names it', entries: [...entriesOf(from), ...entriesOf(draft)] }],
      })),
  );
}

/** The last resort: hops of the same trace that reached the service this one starts from. Never above `inferred`. */
export function bySameTrace(draft: Draft, web: Web): readonly Candidate[] {
  const head = headOf(draft);
  if (head.side === 'callee' || head.parentSpanId === undefined) return [];
  const says = 'same trace, same service; the span between was not observed';
  return (web.byTrace.get(head.traceId ?? '') ?? [])
    .filter((from) => from !== draft && from.callee?.side === 'callee' && from.callee.service === head.service)
    .map((from) => ({
      from,
      grade: 'inferred',
      rests: [{ says, entries: [...entriesOf(from), ...entriesOf(draft)] }],
    }));
}

export const digestOfDraft = (draft: Draft): string | undefined =>
  (draft.callee && digestOf(draft.callee)) ?? (draft.caller && digestOf(draft.caller));

/** Somebody checked the token of this hop: the callee itself, or the issuer that exchanged it. */
export const isVerified = (draft: Draft): boolean =>
  draft.grade === 'proven' || (draft.callee !== undefined && isVerifiedBy(draft.callee));

export const entriesOf = (draft: Draft): string[] => [...leafIndexesOf(draft.caller), ...leafIndexesOf(draft.callee)];
