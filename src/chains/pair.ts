import { digestOf, type End, firstOf, indexBySpan, isVerifiedBy, parentsOf, stepsUp } from './end.ts';
import { groupBy } from './order.ts';

/** What joins the two ends of a crossing. */
export type Joint = 'span' | 'link' | 'token';

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
  for (const [callee, caller] of pairsByToken(ends, pairs)) pairs.set(callee, { caller, joint: 'token' });
  return pairs;
}

/** The caller whose span the callee shares (B3: both sides report one span id under one parent), else the one it continues. */
function callerBySpan(callee: End, bySpan: ReadonlyMap<string, readonly End[]>): End | undefined {
  const shared = callee.spanIds
    .flatMap((spanId) => bySpan.get(`${callee.traceId}/${spanId}`) ?? [])
    .filter((end) => end.parentSpanId === callee.parentSpanId);
  const caller = onlyCaller(shared) ?? onlyCaller(parentsOf(callee, bySpan));
  return caller === undefined || isMadeIn(caller, callee) ? undefined : caller;
}

/** The call was made in the course of what it should have led to: one of the two span ids stands for something else. */
const isMadeIn = (caller: End, callee: End): boolean =>
  caller.service === callee.service &&
  stepsUp(caller).some((key) => callee.spanIds.some((spanId) => key === `${callee.traceId}/${spanId}`));

/** For a callee that starts its own trace and names one span of another: a restarted trace, a message consumed. */
function callerByLink(callee: End, bySpan: ReadonlyMap<string, readonly End[]>): End | undefined {
  if (callee.parentSpanId !== undefined) return undefined;
  const named = new Set(callee.accounts.flatMap(({ entry }) => entry.trace?.links ?? []).map(keyOf));
  const [only, ...others] = named;
  return only === undefined || others.length > 0 ? undefined : onlyCaller(bySpan.get(only) ?? []);
}

const keyOf = (link: { readonly traceId: string; readonly spanId: string }): string => `${link.traceId}/${link.spanId}`;

function onlyCaller(ends: readonly End[]): End | undefined {
  const callers = new Set(ends.filter((end) => end.side === 'caller'));
  return callers.size === 1 ? [...callers][0] : undefined;
}

/**
 * Across traces: a callee nobody called and a caller nobody answered that carry the same verified token, which nobody
 * else carries. A caller that names another service as its peer did not call this one: a token may have leaked.
 */
function pairsByToken(ends: readonly End[], pairs: ReadonlyMap<End, Pair>): readonly (readonly [End, End])[] {
  const answered = new Set([...pairs.values()].map(({ caller }) => caller));
  return [...groupBy(ends, digestOf).values()].flatMap((carriers): (readonly [End, End])[] => {
    const caller = carriers.find((end) => end.side === 'caller' && !answered.has(end));
    const callee = carriers.find((end) => end.side === 'callee' && !pairs.has(end));
    if (carriers.length !== 2 || caller === undefined || callee === undefined || !isVerifiedBy(callee)) return [];
    if (caller.service === callee.service || caller.traceId === callee.traceId) return [];
    const peer = firstOf([caller], (entry) => entry.transport.peerService);
    return peer === undefined || peer === callee.service ? [[callee, caller]] : [];
  });
}
