import { headOf } from './candidate.ts';
import type { Link } from './chain.ts';
import type { Draft } from './crossing.ts';
import { type End, firstOf } from './end.ts';
import type { Lineage, SeenExchange } from './lineage.ts';

export interface Component {
  readonly drafts: readonly Draft[];
  readonly exchanges: readonly SeenExchange[];
}

/**
 * Which hops and exchanges make one chain: those joined by a link, a trace, or a verified transaction id; an exchange
 * belongs with its trace, else with the one hop that carries what came out of it.
 */
export function componentsOf(drafts: readonly Draft[], links: readonly Link[], lineage: Lineage): readonly Component[] {
  const { exchanges } = lineage;
  const sets = new DisjointSets(drafts.length + exchanges.length);
  const places = new Map<string, number>();
  joinDrafts(drafts, sets, places);
  const indexOf = new Map(drafts.map(({ id }, i) => [id, i]));
  for (const { from, to } of links) sets.join(indexOf.get(from) ?? 0, indexOf.get(to) ?? 0);
  joinExchanges(exchanges, drafts, sets, places);
  return groupsOf(drafts, exchanges, sets);
}

/** By trace, by the call that several answered, and by transaction. */
function joinDrafts(drafts: readonly Draft[], sets: DisjointSets, places: Map<string, number>): void {
  const heads = new Map<End, number>();
  const transactions = new Map<string, number>();
  for (const [i, draft] of drafts.entries()) {
    const { caller, callee } = draft;
    if (caller?.traceId !== undefined) sets.join(i, firstAt(places, caller.traceId, i));
    if (callee?.traceId !== undefined) sets.join(i, firstAt(places, callee.traceId, i));
    sets.join(i, firstAt(heads, headOf(draft), i));
    const transaction = transactionOf(draft);
    if (transaction !== undefined) sets.join(i, firstAt(transactions, transaction, i));
  }
}

function transactionOf({ caller, callee }: Draft): string | undefined {
  const authority = firstOf([callee, caller], ({ authority }) =>
    authority?.verification.status === 'verified' ? authority : undefined,
  );
  return authority?.transaction === undefined ? undefined : `${authority.issuer ?? ''} ${authority.transaction}`;
}

function joinExchanges(
  exchanges: readonly SeenExchange[],
  drafts: readonly Draft[],
  sets: DisjointSets,
  places: Map<string, number>,
): void {
  for (const [at, { entry }] of exchanges.entries())
    if (entry.trace !== undefined)
      sets.join(drafts.length + at, firstAt(places, entry.trace.traceId, drafts.length + at));
  if (sets.isOne()) return; // the rule: one transaction, every exchange in its trace
  const carriers = soleCarriers(drafts);
  for (const [at, { entry }] of exchanges.entries()) {
    const only = carriers.get(entry.tokenOut ?? '');
    if (only !== undefined) sets.join(drafts.length + at, only);
  }
}

/** The one hop that carries each token, by any account of either side; undefined where several do. */
function soleCarriers(drafts: readonly Draft[]): ReadonlyMap<string, number | undefined> {
  const carriers = new Map<string, number | undefined>();
  for (const [i, { caller, callee }] of drafts.entries())
    for (const end of [caller, callee])
      for (const { entry } of end?.accounts ?? []) {
        const digest = entry.authority?.digest;
        if (digest === undefined) continue;
        carriers.set(digest, carriers.has(digest) && carriers.get(digest) !== i ? undefined : i);
      }
  return carriers;
}

/** In order of drafts, then exchanges: the order of what comes in decides nothing else. */
function groupsOf(
  drafts: readonly Draft[],
  exchanges: readonly SeenExchange[],
  sets: DisjointSets,
): readonly Component[] {
  const groups = new Map<number, { drafts: Draft[]; exchanges: SeenExchange[] }>();
  const groupAt = (i: number) => {
    const root = sets.find(i);
    const known = groups.get(root);
    if (known !== undefined) return known;
    const group = { drafts: [], exchanges: [] };
    groups.set(root, group);
    return group;
  };
  for (const [i, draft] of drafts.entries()) groupAt(i).drafts.push(draft);
  for (const [i, exchange] of exchanges.entries()) groupAt(drafts.length + i).exchanges.push(exchange);
  return [...groups.values()];
}

/** Who came first under a key; the one that asks where nobody did. */
function firstAt<K>(known: Map<K, number>, key: K, i: number): number {
  const first = known.get(key);
  if (first === undefined) known.set(key, i);
  return first ?? i;
}

/** Union-find over numbers from 0. */
class DisjointSets {
  readonly #parent: Int32Array;

  constructor(size: number) {
    this.#parent = Int32Array.from({ length: size }, (_, i) => i);
  }

  find(i: number): number {
    let root = i;
    for (let up = this.#parent[root]; up !== undefined && up !== root; up = this.#parent[root]) root = up;
    for (let at = i; at !== root; ) {
      const up = this.#parent[at] ?? root;
      this.#parent[at] = root;
      at = up;
    }
    return root;
  }

  isOne = (): boolean => this.#parent.every((_, i) => this.find(i) === 0);

  join(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x !== y) this.#parent[Math.max(x, y)] = Math.min(x, y);
  }
}
