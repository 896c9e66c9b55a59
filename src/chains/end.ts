import type { EntryParty, HopEntry } from '#observation';
import type { Recorded, ServiceRef } from './chain.ts';
import { conversationOf, messagesOf } from './message.ts';
import { compare, compareDecimals, smallest } from './order.ts';
import type { Places } from './place.ts';

/** One reporter's end of a hop: every account it gave of it, the strongest first, and what is asked of them again and again. */
export interface End {
  readonly side: HopEntry['side'];
  readonly service: string;
  readonly instance: string | undefined;
  readonly traceId: string | undefined;
  /** The spans this end is known by, outermost first: layers of one program over the same crossing are one end. */
  readonly spanIds: readonly string[];
  /** The same as places: numbers that stand for a span of a trace. */
  readonly places: readonly number[];
  readonly parentSpanId: string | undefined;
  readonly parent: number | undefined;
  /** The inbound spans that its accounts name as having led to it. */
  readonly causes: readonly Cause[];
  /** Where it hangs: its parent's place, and that of every cause. */
  readonly above: readonly number[];
  /** Places that it links to. */
  readonly linked: readonly number[];
  /** True when span ids are seen to be reused in its trace: that one span names another proves nothing then. */
  readonly isUnsure: boolean;
  readonly accounts: readonly Recorded<HopEntry>[];
  readonly id: string; // smallest observation id of its accounts
  readonly leaves: readonly string[]; // leaf indexes of its accounts, decimal, ascending
  /** SHA-256 of the token this end carried, when it says. */
  readonly digest: string | undefined;
  /** True when some account of this end says that the credential was verified. */
  readonly isVerified: boolean;
  readonly subject: EntryParty | undefined;
  /** The service that a caller says it called. */
  readonly peer: string | undefined;
  readonly isMessage: boolean; // some account says that a queue or topic carried it
  readonly messages: readonly string[];
  readonly conversations: readonly string[];
}

/** A span named as cause: by our SDK it is the request that was being served, by others an ancestor. */
export interface Cause {
  readonly place: number;
  readonly isServed: boolean;
}

interface Told {
  readonly accounts: readonly Recorded<HopEntry>[];
  /** Outermost first; the account's own span where nothing is given. */
  readonly spanIds?: readonly string[];
  readonly parentSpanId?: string | undefined;
}

/** Puts accounts of one end together; there is at least one. `outer`: the end whose place it keeps when layers become one. */
export function endOf({ accounts: given, ...place }: Told, places: Places, outer?: End): End {
  const accounts = given.length > 1 ? given.toSorted(byStrength) : given;
  const [first] = accounts;
  if (first === undefined) throw new TypeError('end: needs at least one account');
  const { reporter, trace, side } = first.entry;
  const traceId = outer === undefined ? trace?.traceId : outer.traceId;
  const spanIds = place.spanIds ?? (trace === undefined ? NONE : [trace.spanId]);
  const parentSpanId = outer === undefined ? firstIn(accounts, ({ trace }) => trace?.parentSpanId) : outer.parentSpanId;
  const parent = traceId === undefined || parentSpanId === undefined ? undefined : places.at(traceId, parentSpanId);
  const causes = causesOf(accounts, places);
  return {
    side: outer?.side ?? side,
    service: outer?.service ?? reporter.service,
    instance: outer === undefined ? reporter.instance : outer.instance,
    traceId,
    spanIds,
    places: traceId === undefined ? NOWHERE : spanIds.map((spanId) => places.at(traceId, spanId)),
    parentSpanId,
    parent,
    causes,
    above: aboveOf(parent, causes),
    linked: linkedOf(accounts, places),
    isUnsure: false,
    accounts,
    id: accounts.length === 1 ? first.entry.id : smallest(accounts.map(({ entry }) => entry.id)),
    leaves: leavesOf(accounts),
    digest: firstIn(accounts, (entry) => entry.authority?.digest),
    isVerified: accounts.some(({ entry }) => entry.authority?.verification.status === 'verified'),
    subject: firstIn(accounts, (entry) => entry.subject),
    peer: firstIn(accounts, (entry) => entry.transport.peerService),
    isMessage: accounts.some(({ entry }) => entry.transport.protocol === 'messaging'),
    messages: manyOf(accounts, messagesOf),
    conversations: manyOf(accounts, (entry) => {
      const conversation = conversationOf(entry);
      return conversation === undefined ? NONE : [conversation];
    }),
  };
}

const NONE: readonly string[] = [];

const NOWHERE: readonly number[] = [];
const NO_CAUSE: readonly Cause[] = [];

function causesOf(accounts: End['accounts'], places: Places): readonly Cause[] {
  let causes = NO_CAUSE;
  for (const { entry } of accounts) {
    if (entry.cause === undefined) continue;
    const place = places.at(entry.cause.traceId, entry.cause.spanId);
    causes = [...causes, { place, isServed: entry.source.vocabulary === 'behalf' }];
  }
  return causes;
}

const aboveOf = (parent: number | undefined, causes: readonly Cause[]): readonly number[] =>
  parent === undefined
    ? causes.length === 0
      ? NOWHERE
      : causes.map(({ place }) => place)
    : [parent, ...causes.map(({ place }) => place)];

function linkedOf(accounts: End['accounts'], places: Places): readonly number[] {
  let linked = NOWHERE;
  for (const { entry } of accounts)
    if (entry.trace !== undefined && entry.trace.links.length > 0)
      linked = [...linked, ...entry.trace.links.map(({ traceId, spanId }) => places.at(traceId, spanId))];
  return linked.length > 1 ? [...new Set(linked)] : linked;
}

function leavesOf(accounts: End['accounts']): readonly string[] {
  const leaves = accounts.map(({ leafIndex }) => String(leafIndex));
  return leaves.length > 1 ? leaves.sort(compareDecimals) : leaves;
}

function manyOf(accounts: End['accounts'], pick: (entry: HopEntry) => readonly string[]): readonly string[] {
  let found: readonly string[] = NONE;
  for (const { entry } of accounts) {
    const next = pick(entry);
    if (next.length > 0) found = found.length === 0 ? next : [...new Set([...found, ...next])];
  }
  return found;
}

/** The first value any of these accounts gives. */
function firstIn<T>(accounts: End['accounts'], pick: (entry: HopEntry) => T | undefined): T | undefined {
  for (const { entry } of accounts) {
    const value = pick(entry);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Strongest first: what was verified before what was not, a log record of ours before a span, then by id. */
const byStrength = (a: Recorded<HopEntry>, b: Recorded<HopEntry>): number =>
  strength(a.entry) - strength(b.entry) || compare(a.entry.id, b.entry.id);

const strength = (entry: HopEntry): number =>
  (entry.authority?.verification.status === 'verified' ? 0 : 2) + (entry.source.signal === 'log' ? 0 : 1);

/** Ends by place; several may share one. */
export type SpanIndex = readonly (readonly End[] | undefined)[];

const indexes = new WeakMap<readonly End[], SpanIndex>();

/** Made once for one list of ends: every stage of stitching asks for it. */
export function indexBySpan(ends: readonly End[]): SpanIndex {
  const known = indexes.get(ends);
  if (known !== undefined) return known;
  let most = -1;
  for (const { places } of ends) for (const place of places) most = Math.max(most, place);
  const index = new Array<End[] | undefined>(most + 1).fill(undefined);
  for (const end of ends)
    for (const place of end.places) {
      const sharing = index[place];
      if (sharing === undefined) index[place] = [end];
      else sharing.push(end);
    }
  indexes.set(ends, index);
  return index;
}

const NOBODY: readonly End[] = [];

/** The ends at a place. */
export const endsAt = (place: number | undefined, bySpan: SpanIndex): readonly End[] =>
  (place === undefined ? undefined : bySpan[place]) ?? NOBODY;

/** The ends whose span this end names as its parent, itself excepted. */
export function parentsOf(end: End, bySpan: SpanIndex): readonly End[] {
  const parents = endsAt(end.parent, bySpan);
  return parents.includes(end) ? parents.filter((parent) => parent !== end) : parents;
}

export const serviceOf = (end: End): ServiceRef => ({
  name: end.service,
  ...(end.instance === undefined ? {} : { instance: end.instance }),
  reported: true,
});

/** The first value any account of these ends gives, strongest account first. */
export function firstOf<T>(
  ends: readonly (End | undefined)[],
  pick: (entry: HopEntry) => T | undefined,
): T | undefined {
  for (const end of ends) {
    const value = end === undefined ? undefined : firstIn(end.accounts, pick);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Leaf indexes of an end that may not be there. */
export const leavesIn = (end: End | undefined): readonly string[] => end?.leaves ?? NONE;
