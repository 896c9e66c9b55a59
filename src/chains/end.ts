import type { HopEntry } from '#observation';
import type { Recorded, ServiceRef } from './chain.ts';
import { compare } from './order.ts';

/** One reporter's end of a hop: every account it gave of it, the strongest first. */
export interface End {
  readonly side: HopEntry['side'];
  readonly service: string;
  readonly instance: string | undefined;
  readonly traceId: string | undefined;
  /** The spans this end is known by, outermost first: layers of one program over the same crossing are one end. */
  readonly spanIds: readonly string[];
  readonly parentSpanId: string | undefined;
  /** True when span ids are seen to be reused in its trace: that one span names another proves nothing then. */
  readonly isUnsure: boolean;
  readonly accounts: readonly Recorded<HopEntry>[];
  readonly id: string; // smallest observation id of its accounts
}

/** Strongest first: what was verified before what was not, a log record of ours before a span, then by id. */
export const byStrength = (a: Recorded<HopEntry>, b: Recorded<HopEntry>): number =>
  strength(a.entry) - strength(b.entry) || compare(a.entry.id, b.entry.id);

const strength = (entry: HopEntry): number =>
  (entry.authority?.verification.status === 'verified' ? 0 : 2) + (entry.source.signal === 'log' ? 0 : 1);

const indexes = new WeakMap<readonly End[], ReadonlyMap<string, readonly End[]>>();

/** Ends by trace and span id; several may share one. Made once for one list: every stage of stitching asks for it. */
export function indexBySpan(ends: readonly End[]): ReadonlyMap<string, readonly End[]> {
  const known = indexes.get(ends);
  if (known !== undefined) return known;
  const index = indexOf(ends);
  indexes.set(ends, index);
  return index;
}

function indexOf(ends: readonly End[]): ReadonlyMap<string, readonly End[]> {
  const index = new Map<string, End[]>();
  for (const end of ends) {
    for (const spanId of end.spanIds) {
      const known = index.get(`${end.traceId}/${spanId}`);
      if (known === undefined) index.set(`${end.traceId}/${spanId}`, [end]);
      else known.push(end);
    }
  }
  return index;
}

/** The ends whose span this end names as its parent, itself excepted. */
export const parentsOf = (end: End, bySpan: ReadonlyMap<string, readonly End[]>): readonly End[] =>
  end.parentSpanId === undefined
    ? []
    : (bySpan.get(`${end.traceId}/${end.parentSpanId}`) ?? []).filter((parent) => parent !== end);

/** An end's parent, and the cause it names. */
export function stepsUp(end: End): string[] {
  const causes = end.accounts.flatMap(({ entry }) =>
    entry.cause === undefined ? [] : [`${entry.cause.traceId}/${entry.cause.spanId}`],
  );
  const parent = end.parentSpanId === undefined ? [] : [`${end.traceId}/${end.parentSpanId}`];
  return [...parent, ...causes];
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
    for (const { entry } of end?.accounts ?? []) {
      const value = pick(entry);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

/** SHA-256 of the token this end carried, when it says. */
export const digestOf = (end: End): string | undefined => firstOf([end], (entry) => entry.authority?.digest);

/** True when some account of this end says that the credential was verified. */
export const isVerifiedBy = (end: End): boolean =>
  end.accounts.some(({ entry }) => entry.authority?.verification.status === 'verified');

export const leafIndexesOf = (end: End | undefined): string[] =>
  (end?.accounts ?? [])
    .map(({ leafIndex }) => leafIndex)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map(String);
