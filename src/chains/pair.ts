import { type End, endsAt, indexBySpan, parentsOf, type SpanIndex } from './end.ts';
import { addTo, groupBy } from './order.ts';

/** What joins the two ends of a crossing. */
export type Joint = 'span' | 'link' | 'message' | 'token';

export interface Pair {
  readonly caller: End;
  readonly joint: Joint;
}

/** The caller of each callee, where exactly one fits. Where several do, none is chosen: the links say so instead. */
export function pairsOf(ends: readonly End[]): ReadonlyMap<End, Pair> {
  const bySpan = indexBySpan(ends);
  const callees = ends.filter((end) => end.side === 'callee');
  const pairs = new Map<End, Pair>();
  for (const callee of callees) {
    const caller = callerBySpan(callee, bySpan);
    if (caller !== undefined) pairs.set(callee, { caller, joint: 'span' });
  }
  const answered = new Set([...pairs.values()].map(({ caller }) => caller));
  for (const callee of callees) {
    const caller = pairs.has(callee) ? undefined : callerByLink(callee, bySpan);
    if (caller !== undefined && !answered.has(caller)) pairs.set(callee, { caller, joint: 'link' });
  }
  for (const [callee, caller] of pairsByMessage(ends, pairs)) pairs.set(callee, { caller, joint: 'message' });
  for (const [callee, caller] of pairsByToken(ends, pairs)) pairs.set(callee, { caller, joint: 'token' });
  return pairs;
}

/** The caller whose span the callee shares (B3: both sides report one span id under one parent), else the one it continues. */
function callerBySpan(callee: End, bySpan: SpanIndex): End | undefined {
  const caller = onlyCaller(sharingSpan(callee, bySpan)) ?? onlyCaller(parentsOf(callee, bySpan));
  return caller === undefined || isMadeIn(caller, callee) ? undefined : caller;
}

function sharingSpan(callee: End, bySpan: SpanIndex): readonly End[] {
  const sharing = callee.places.flatMap((place) => endsAt(place, bySpan));
  return sharing.length === 1 ? [] : sharing.filter((end) => end.parentSpanId === callee.parentSpanId);
}

/** The call was made in the course of what it should have led to: one of the two span ids stands for something else. */
const isMadeIn = (caller: End, callee: End): boolean =>
  caller.service === callee.service && caller.above.some((place) => callee.places.includes(place));

/** For a callee that starts its own trace and names one span of another: a restarted trace, a message consumed. */
function callerByLink(callee: End, bySpan: SpanIndex): End | undefined {
  if (callee.parentSpanId !== undefined) return undefined;
  const [only, ...others] = callee.linked;
  return only === undefined || others.length > 0 ? undefined : onlyCaller(endsAt(only, bySpan));
}

function onlyCaller(ends: readonly End[]): End | undefined {
  let only: End | undefined;
  for (const end of ends) {
    if (end.side !== 'caller' || end === only) continue;
    if (only !== undefined) return undefined;
    only = end;
  }
  return only;
}

/**
 * Across broken traces: a callee nobody called and the one caller that names the same message. One call has one answer; a
 * message may have many readers.
 */
function pairsByMessage(ends: readonly End[], pairs: ReadonlyMap<End, Pair>): readonly (readonly [End, End])[] {
  const senders = new Map<string, End[]>();
  for (const end of ends) if (end.side === 'caller') for (const message of end.messages) addTo(senders, message, end);
  if (senders.size === 0) return [];
  const answered = new Set([...pairs.values()].map(({ caller }) => caller));
  const lone = ends.filter((end) => end.side === 'callee' && end.messages.length > 0 && !pairs.has(end));
  const readers = groupBy(lone, ({ messages: [first] }) => first);
  return lone.flatMap((callee): (readonly [End, End])[] => {
    const caller = onlyCaller(callee.messages.flatMap((message) => senders.get(message) ?? []));
    if (caller === undefined || isMadeIn(caller, callee)) return [];
    const isSole = !answered.has(caller) && readers.get(callee.messages[0] ?? '')?.length === 1;
    return caller.isMessage || isSole ? [[callee, caller]] : [];
  });
}

/**
 * Across traces: a callee nobody called and a caller nobody answered that carry the same verified token, which nobody
 * else carries. A caller that names another service as its peer did not call this one: a token may have leaked.
 */
function pairsByToken(ends: readonly End[], pairs: ReadonlyMap<End, Pair>): readonly (readonly [End, End])[] {
  const answered = new Set([...pairs.values()].map(({ caller }) => caller));
  return [...groupBy(ends, ({ digest }) => digest).values()].flatMap((carriers): (readonly [End, End])[] => {
    const caller = carriers.find((end) => end.side === 'caller' && !answered.has(end));
    const callee = carriers.find((end) => end.side === 'callee' && !pairs.has(end));
    if (carriers.length !== 2 || caller === undefined || callee === undefined || !callee.isVerified) return [];
    if (caller.service === callee.service || caller.traceId === callee.traceId) return [];
    return caller.peer === undefined || caller.peer === callee.service ? [[callee, caller]] : [];
  });
}
