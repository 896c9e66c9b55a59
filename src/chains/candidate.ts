import type { Fact, Grade } from './chain.ts';
import type { Draft } from './crossing.ts';
import { type End, endsAt, indexBySpan, leavesIn, parentsOf, type SpanIndex } from './end.ts';
import type { Lineage } from './lineage.ts';
import { addTo, groupBy } from './order.ts';

/** A hop that could have led to another, and how well that is known. */
export interface Candidate {
  readonly from: Draft;
  readonly grade: Grade;
  readonly rests: readonly Fact[];
}

/** Everything that finding one hop's predecessor needs to look up. */
export interface Web {
  readonly drafts: readonly Draft[];
  readonly bySpan: SpanIndex;
  readonly draftsOf: ReadonlyMap<End, readonly Draft[]>;
  readonly byDigest: ReadonlyMap<string, readonly Draft[]>;
  /** By trace and service: hops that reached it; and calls nobody answered, by whom they name as called, if anybody. */
  readonly arrivals: ReadonlyMap<string, readonly Draft[]>;
  readonly unanswered: ReadonlyMap<string, readonly Draft[]>;
  /** Calls by the message they sent, and hops by their conversation. */
  readonly byMessage: ReadonlyMap<string, readonly Draft[]>;
  readonly byConversation: ReadonlyMap<string, readonly Draft[]>;
  readonly lineage: Lineage;
  /** Tokens whose use both sides of some hop tell. */
  readonly accountedFor: ReadonlySet<string>;
  /** The nearest hop above each that carried a token, as far as it was asked for. */
  readonly bearers: Map<Draft, Draft | undefined>;
}

/** Most candidates for one hop: where more fit, listing them would say nothing but that many do. */
export const MOST_CANDIDATES = 100;

export function weave(drafts: readonly Draft[], ends: readonly End[], lineage: Lineage): Web {
  const draftsOf = new Map<End, Draft[]>();
  const byMessage = new Map<string, Draft[]>();
  const byConversation = new Map<string, Draft[]>();
  for (const draft of drafts) {
    for (const end of [draft.caller, draft.callee]) {
      if (end === undefined) continue;
      addTo(draftsOf, end, draft);
      for (const conversation of end.conversations) addTo(byConversation, conversation, draft);
    }
    for (const message of draft.caller?.messages ?? []) addTo(byMessage, message, draft);
  }
  return {
    drafts,
    bySpan: indexBySpan(ends),
    draftsOf,
    byDigest: groupBy(drafts, digestOfDraft),
    arrivals: groupBy(drafts, (draft) =>
      draft.callee?.side === 'callee' ? placeOf(headOf(draft).traceId, draft.callee.service) : undefined,
    ),
    unanswered: groupBy(drafts, ({ caller, callee }) =>
      callee === undefined && caller !== undefined ? placeOf(caller.traceId, caller.peer) : undefined,
    ),
    byMessage,
    byConversation,
    lineage,
    accountedFor: new Set(
      drafts.flatMap((draft) =>
        draft.caller === undefined || draft.callee === undefined ? [] : (digestOfDraft(draft) ?? []),
      ),
    ),
    bearers: new Map(),
  };
}

/** Where a service stands in a trace, or a call whose other end nobody names. */
export const placeOf = (traceId: string | undefined, service: string | undefined): string =>
  `${traceId ?? ''}${service === undefined ? '' : `/${service}`}`;

/** The end nearest to what caused the hop: the caller's, or the callee's when nobody reported the call. */
export const headOf = (draft: Draft): End => {
  const head = draft.caller ?? draft.callee;
  if (head === undefined) throw new TypeError('draft: has neither end');
  return head;
};

/** By the cause the reporter names, else by span parentage. */
export function byTopology(draft: Draft, web: Web): readonly Candidate[] {
  const head = headOf(draft);
  if (head.above.length === 0) return NOTHING;
  const found: Candidate[] = [];
  for (const { place, isServed } of head.causes)
    for (const end of endsAt(place, web.bySpan)) consider(draft, end, isServed ? SERVED : ANCESTOR, web, found);
  if (found.length === 0) for (const end of parentsOf(head, web.bySpan)) consider(draft, end, PARENTAGE, web, found);
  return found;
}

export const NOTHING: readonly Candidate[] = [];
const SERVED = { grade: 'asserted', says: 'the service names the request it was serving' } as const;
const ANCESTOR = { grade: 'inferred', says: 'an ancestor of its span' } as const;
const PARENTAGE = { grade: 'inferred', says: 'span parentage' } as const;

function consider(draft: Draft, end: End, told: { grade: Grade; says: string }, web: Web, found: Candidate[]): void {
  const head = headOf(draft);
  const grade = couldBeIn(head, end) ? told.grade : 'inferred';
  for (const from of web.draftsOf.get(end) ?? []) {
    if (from === draft || found.some((known) => known.from === from)) continue;
    found.push({ from, grade, rests: [{ says: told.says, entries: [...end.leaves, ...head.leaves] }] });
  }
}

/** False when a call or step is laid to a span that another program sent: one span id stands for two things, or a span between is missing. */
export const couldBeIn = (head: End, end: End): boolean =>
  head.side === 'callee' ||
  (head.service === end.service && (head.instance ?? end.instance) === (end.instance ?? head.instance));

/** One list per span a hop links to: a consumer of several messages has several causes, each known on its own. */
export function bySpanLink(draft: Draft, web: Web): readonly (readonly Candidate[])[] {
  return headOf(draft).linked.map((place) => {
    const linked = endsAt(place, web.bySpan).flatMap((end) => web.draftsOf.get(end) ?? []);
    return candidatesOf(linked, draft, 'asserted', 'a span link names it');
  });
}

/** Every call that sent the message a callee took, where they are several: one of them is told twice, or an id was. Shared ids are topology. */
export function byMessage(draft: Draft, web: Web): readonly Candidate[] {
  if (draft.caller !== undefined) return NOTHING;
  const senders = (draft.callee?.messages ?? []).map((message) => web.byMessage.get(message));
  return candidatesOf(
    firstFew(senders, () => true),
    draft,
    'inferred',
    'a call of the same message id',
  );
}

/**
 * For a hop that nothing else leads to: in the same conversation, the requests its service was serving when it is a call or a
 * step, else the calls that name it as whom they called. A conversation goes on for days: never above `inferred`.
 */
export function byConversation(draft: Draft, web: Web): readonly Candidate[] {
  const head = headOf(draft);
  const isOrphan = head.side === 'callee' || head.above.length === 0;
  if (head.conversations.length === 0 || !isOrphan) return NOTHING;
  const fits = ({ caller, callee }: Draft): boolean =>
    head.side === 'callee'
      ? caller?.peer === head.service && callee === undefined
      : callee?.side === 'callee' && callee.service === head.service;
  const others = head.conversations.map((conversation) => web.byConversation.get(conversation));
  return candidatesOf(firstFew(others, fits), draft, 'inferred', 'the same conversation, the same service');
}

/**
 * The last resort: hops of the same trace that reached the service this one starts from, and calls that nobody answered and
 * that may have. Never above `inferred`.
 */
export function bySameTrace(draft: Draft, web: Web): readonly Candidate[] {
  const head = headOf(draft);
  if (head.side === 'callee' || head.parentSpanId === undefined) return NOTHING;
  const reached = web.arrivals.get(placeOf(head.traceId, head.service));
  const named = web.unanswered.get(placeOf(head.traceId, head.service));
  const unnamed = web.unanswered.get(placeOf(head.traceId, undefined));
  const found = firstFew(
    [reached, named, unnamed],
    ({ callee, caller }) => callee !== undefined || caller?.service !== head.service,
  );
  return candidatesOf(found, draft, 'inferred', 'same trace, same service; the span between was not observed');
}

/** As many of these as it takes to see that they are too many. */
export function firstFew(
  lists: readonly (readonly Draft[] | undefined)[],
  fits: (draft: Draft) => boolean,
): readonly Draft[] {
  const found: Draft[] = [];
  for (const list of lists)
    for (const each of list ?? []) {
      if (found.length > MOST_CANDIDATES + 1) return found;
      if (fits(each)) found.push(each);
    }
  return found;
}

const candidatesOf = (found: readonly Draft[], draft: Draft, grade: Grade, says: string): readonly Candidate[] =>
  [...new Set(found)]
    .filter((from) => from !== draft)
    .map((from) => ({ from, grade, rests: [{ says, entries: [...entriesOf(from), ...entriesOf(draft)] }] }));

export const digestOfDraft = ({ caller, callee }: Draft): string | undefined => callee?.digest ?? caller?.digest;

/** Somebody checked the token of this hop: the callee itself, or the issuer that exchanged it. */
export const isVerified = ({ grade, callee }: Draft): boolean => grade === 'proven' || callee?.isVerified === true;

export const entriesOf = ({ caller, callee }: Draft): readonly string[] => [...leavesIn(caller), ...leavesIn(callee)];
