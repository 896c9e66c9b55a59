import { headOf } from './candidate.ts';
import type { Link } from './chain.ts';
import { accountsOf, type Draft } from './crossing.ts';
import { firstOf } from './end.ts';
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
  const sets = new DisjointSets();
  for (const draft of drafts) for (const key of keysOf(draft)) sets.join(draft.id, key);
  for (const link of links) sets.join(link.from, link.to);
  const carriers = carriersOf(drafts);
  for (const { entry } of lineage.exchanges) {
    sets.join(entry.id, entry.trace === undefined ? entry.id : `trace ${entry.trace.traceId}`);
    const [only, ...others] = carriers.get(entry.tokenOut ?? '') ?? [];
    if (only !== undefined && others.length === 0) sets.join(entry.id, only.id);
  }
  const groups = new Map<string, { drafts: Draft[]; exchanges: SeenExchange[] }>();
  const groupOf = (id: string) => {
    const root = sets.find(id);
    const group = groups.get(root) ?? { drafts: [], exchanges: [] };
    groups.set(root, group);
    return group;
  };
  for (const draft of drafts) groupOf(draft.id).drafts.push(draft);
  for (const exchange of lineage.exchanges) groupOf(exchange.entry.id).exchanges.push(exchange);
  return [...groups.values()];
}

function keysOf(draft: Draft): string[] {
  const traces = [draft.caller?.traceId, draft.callee?.traceId].flatMap((id) =>
    id === undefined ? [] : [`trace ${id}`],
  );
  const authority = firstOf([draft.callee, draft.caller], ({ authority }) =>
    authority?.verification.status === 'verified' ? authority : undefined,
  );
  const transaction = authority?.transaction;
  return [
    ...traces,
    ...(transaction === undefined ? [] : [`transaction ${authority?.issuer ?? ''} ${transaction}`]),
    headOf(draft).id,
  ];
}

/** The hops that carry each token, by any account of either side. */
function carriersOf(drafts: readonly Draft[]): ReadonlyMap<string, ReadonlySet<Draft>> {
  const carriers = new Map<string, Set<Draft>>();
  for (const draft of drafts) {
    for (const { entry } of accountsOf(draft)) {
      const digest = entry.authority?.digest;
      if (digest !== undefined) carriers.set(digest, (carriers.get(digest) ?? new Set()).add(draft));
    }
  }
  return carriers;
}

/** Union-find; the smallest key is the root, so the outcome does not depend on order. */
class DisjointSets {
  readonly #parent = new Map<string, string>();

  find(key: string): string {
    let root = key;
    for (let up = this.#parent.get(root); up !== undefined && up !== root; up = this.#parent.get(root)) root = up;
    for (let at = key; at !== root; ) {
      const up = this.#parent.get(at) ?? root;
      this.#parent.set(at, root);
      at = up;
    }
    return root;
  }

  join(a: string, b: string): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x !== y) this.#parent.set(x < y ? y : x, x < y ? x : y);
  }
}
