import type { JoinKey } from '#chains';

/** Most entries stitched together: beyond it a chain says that it is bounded. */
export const MAX_SET = 10_000;
/** Most entries one token or transaction joins: a token used all day joins no more than these. */
export const MAX_USES = 128;

export interface Limits {
  readonly entries: number;
  readonly uses: number;
}

/** An entry on its way into a set; keys are hex, its own trace first. */
export interface Arrival {
  readonly leafIndex: bigint;
  readonly keys: readonly { readonly key: string; readonly kind: JoinKey['kind'] }[];
}

export interface KeyState {
  readonly set: bigint;
  readonly uses: bigint;
}

export interface SetState {
  readonly entries: number;
  readonly bounded: boolean;
}

export interface Known {
  readonly keys: ReadonlyMap<string, KeyState>;
  readonly sets: ReadonlyMap<bigint, SetState>;
}

/** What a batch changes: every set that must be stitched anew, and those that were merged away. */
export interface Assignment {
  readonly setOf: ReadonlyMap<bigint, bigint>; // leaf index of an arrival -> set
  readonly keys: ReadonlyMap<string, KeyState>; // every key of the batch
  readonly sets: ReadonlyMap<bigint, SetState>; // sets changed or new
  readonly merged: ReadonlyMap<bigint, bigint>; // set merged away -> where it went
}

/**
 * Puts entries into sets in the order of the log: entries that share a key, directly or through others, are one set, until a
 * limit. Only that order counts, not how it is cut into batches, so that a rebuild gives the same sets. At a limit an
 * entry stays apart and both sides are marked as bounded: a link may be missing then, none is wrong.
 */
export function assign(
  arrivals: readonly Arrival[],
  known: Known,
  limits: Limits = { entries: MAX_SET, uses: MAX_USES },
): Assignment {
  const state = new Working(known, limits);
  const setOf = new Map<bigint, bigint>();
  for (const arrival of arrivals) setOf.set(arrival.leafIndex, state.place(arrival));
  return state.outcome(setOf);
}

class Working {
  readonly #known: Known;
  readonly #limits: Limits;
  readonly #keys = new Map<string, KeyState>();
  readonly #sets = new Map<bigint, SetState>();
  readonly #merged = new Map<bigint, bigint>();

  constructor(known: Known, limits: Limits) {
    this.#known = known;
    this.#limits = limits;
  }

  place({ leafIndex, keys }: Arrival): bigint {
    const open = keys.filter(({ key, kind }) => kind === 'trace' || this.#usesOf(key) < this.#limits.uses);
    const wanted = distinct(open.flatMap(({ key }) => this.#setOfKey(key) ?? []));
    const total = wanted.reduce((sum, set) => sum + this.#stateOf(set).entries, 1);
    const isCut = keys.some((each) => !open.includes(each) && isBinding(each)) || total > this.#limits.entries;
    const target = total > this.#limits.entries ? this.#asideSet(leafIndex, keys) : smallest([leafIndex, ...wanted]);
    if (total <= this.#limits.entries) for (const set of wanted) this.#merge(set, target);
    this.#grow(target);
    for (const { key, kind } of keys) this.#use(key, kind, target, total > this.#limits.entries);
    if (isCut) for (const { key } of keys) this.#bound(this.#setOfKey(key) ?? target);
    if (isCut) this.#bound(target);
    return target;
  }

  /** The entries of one trace stay together as long as they fit; what comes after starts a set of its own. */
  #asideSet(leafIndex: bigint, keys: Arrival['keys']): bigint {
    const own = keys[0]?.kind === 'trace' ? this.#setOfKey(keys[0].key) : undefined;
    return own !== undefined && this.#stateOf(own).entries < this.#limits.entries ? own : leafIndex;
  }

  #use(key: string, kind: Arrival['keys'][number]['kind'], target: bigint, isAside: boolean): void {
    const set = this.#setOfKey(key);
    const isFull = set !== undefined && this.#stateOf(set).entries >= this.#limits.entries;
    const next = set === undefined || (isAside && isFull && kind === 'trace') ? target : set;
    if (set !== undefined && next !== set) this.#bound(set);
    this.#keys.set(key, { set: next, uses: this.#usesOf(key) + 1n });
  }

  #merge(set: bigint, target: bigint): void {
    if (set === target) return;
    const [from, to] = [this.#stateOf(set), this.#stateOf(target)];
    this.#sets.set(target, { entries: from.entries + to.entries, bounded: from.bounded || to.bounded });
    this.#sets.delete(set);
    this.#merged.set(set, target);
  }

  #grow(set: bigint): void {
    const { entries, bounded } = this.#stateOf(set);
    this.#sets.set(set, { entries: entries + 1, bounded });
  }

  #bound(set: bigint): void {
    const state = this.#stateOf(set);
    if (!state.bounded) this.#sets.set(set, { ...state, bounded: true });
  }

  #stateOf = (set: bigint): SetState =>
    this.#sets.get(set) ?? (this.#merged.has(set) ? EMPTY : (this.#known.sets.get(set) ?? EMPTY));

  #usesOf = (key: string): bigint => (this.#keys.get(key) ?? this.#known.keys.get(key))?.uses ?? 0n;

  #setOfKey(key: string): bigint | undefined {
    const state = this.#keys.get(key) ?? this.#known.keys.get(key);
    return state && this.#resolve(state.set);
  }

  /** Where a set went. Merges only lead to smaller numbers: it ends. */
  #resolve(set: bigint): bigint {
    let at = set;
    for (let next = this.#merged.get(at); next !== undefined; next = this.#merged.get(at)) at = next;
    return at;
  }

  outcome(setOf: ReadonlyMap<bigint, bigint>): Assignment {
    return {
      setOf: new Map([...setOf].map(([leaf, set]) => [leaf, this.#resolve(set)])),
      keys: new Map([...this.#keys].map(([key, { set, uses }]) => [key, { set: this.#resolve(set), uses }])),
      sets: this.#sets,
      merged: new Map([...this.#merged.keys()].map((set) => [set, this.#resolve(set)])),
    };
  }
}

/** A conversation goes on for days and alone never leads above `inferred`: that its later hops stay apart leaves nothing out. */
const isBinding = ({ kind }: Arrival['keys'][number]): boolean => kind !== 'conversation';

const EMPTY: SetState = { entries: 0, bounded: false };
const distinct = (sets: readonly bigint[]): readonly bigint[] => [...new Set(sets)];
const smallest = (sets: readonly bigint[]): bigint => sets.reduce((least, set) => (set < least ? set : least));
