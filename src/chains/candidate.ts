import type { Fact, Grade } from './chain.ts';
import type { Draft } from './crossing.ts';
import { digestOf, type End, indexBySpan, isVerifiedBy, leafIndexesOf, parentsOf } from './end.ts';
import { ancestorsOf, type Lineage } from './lineage.ts';
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
  const consider = (end: End, grade: Grade, says: string) => {
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

/**
 * For a hop that names no known cause: the hops whose token its own was exchanged from, nearest exchange first. A token
 * whose use is already accounted for by both sides of another hop leads nowhere: the same token again is a repeat.
 */
export function byAuthority(draft: Draft, web: Web): readonly Candidate[] {
  const digest = digestOfDraft(draft);
  const isRepeat = ({ caller, callee }: Draft) => caller !== undefined && callee !== undefined;
  if (digest === undefined || (web.byDigest.get(digest) ?? []).some((other) => other !== draft && isRepeat(other)))
    return [];
  const seen = new Set<string>([digest]);
  for (let tokens: readonly string[] = [digest]; tokens.length > 0; ) {
    const exchanges = tokens.flatMap((token) => web.lineage.mintedBy(token));
    const found = exchanges.flatMap((exchange) => bearersOf(exchange, draft, web));
    if (found.length > 0) return found;
    tokens = [...new Set(exchanges.map(({ entry }) => entry.tokenIn))].filter((token) => !seen.has(token));
    for (const token of tokens) seen.add(token);
  }
  return [];
}

/** The hops that carried the token of an exchange; only the one it was made under, when that is known. */
function bearersOf(exchange: Lineage['exchanges'][number], draft: Draft, web: Web): readonly Candidate[] {
  const bearers = (web.byDigest.get(exchange.entry.tokenIn) ?? []).filter(
    (bearer) => bearer !== draft && isVerified(bearer),
  );
  if (bearers.length === 0) return [];
  const around = ancestorsOf(exchange.entry, web.bySpan);
  const certain = bearers.filter(({ callee }) => callee !== undefined && around.has(callee));
  return (certain.length > 0 ? certain : bearers).map((from) => ({
    from,
    grade: 'proven',
    rests: [
      {
        says: 'its token was exchanged from this hop’s token',
        entries: [...entriesOf(from), String(exchange.leafIndex), ...entriesOf(draft)],
      },
    ],
  }));
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
