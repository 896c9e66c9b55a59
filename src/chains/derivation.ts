import type { Authority } from '#observation';
import type { End } from './end.ts';
import type { SeenExchange } from './lineage.ts';
import { addTo } from './order.ts';

/** How one token is known to have come from another. */
export interface Derivation {
  readonly tokenIn: string;
  readonly tokenOut: string;
  readonly leaf: string; // the entry that says so
  /** Undefined where the token itself names its parent. */
  readonly exchange: SeenExchange | undefined;
}

/** By the token that came out: every exchange in order, then every parent that a verified token names by its issuer's id. */
export function derivationsOf(
  exchanges: readonly SeenExchange[],
  ends: readonly End[],
): ReadonlyMap<string, readonly Derivation[]> {
  const derived = new Map<string, Derivation[]>();
  for (const exchange of exchanges) {
    const { tokenIn, tokenOut } = exchange.entry;
    if (tokenOut !== undefined)
      addTo(derived, tokenOut, { tokenIn, tokenOut, leaf: String(exchange.leafIndex), exchange });
  }
  for (const derivation of namedParents(ends)) addTo(derived, derivation.tokenOut, derivation);
  return derived;
}

interface SeenToken {
  readonly digest: string;
  readonly leaf: string;
  readonly authority: Authority;
}

/** One derivation per token and parent, told by the earliest entry, in order of digests: the set alone decides. */
function namedParents(ends: readonly End[]): readonly Derivation[] {
  const children = ends.flatMap((end) => seenTokens(end, ({ parentId }) => parentId !== undefined));
  if (children.length === 0) return [];
  const tokensById = new Map<string, Set<string>>();
  for (const end of ends)
    for (const { digest, authority } of seenTokens(end, ({ id }) => id !== undefined)) {
      const key = delegationKey(authority.issuer, authority.id);
      tokensById.set(key, (tokensById.get(key) ?? new Set()).add(digest));
    }
  const found = new Map<string, Derivation>();
  for (const { digest: tokenOut, leaf, authority } of children) {
    for (const tokenIn of tokensById.get(delegationKey(authority.issuer, authority.parentId)) ?? []) {
      const known = found.get(`${tokenOut} ${tokenIn}`);
      if (tokenIn === tokenOut || (known !== undefined && BigInt(known.leaf) <= BigInt(leaf))) continue;
      found.set(`${tokenOut} ${tokenIn}`, { tokenIn, tokenOut, leaf, exchange: undefined });
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, derivation]) => derivation);
}

/** Tokens that whoever was called verified: what an unverified token says of itself is anybody's word. */
const seenTokens = (end: End, isAsked: (authority: Authority) => boolean): readonly SeenToken[] =>
  end.accounts.flatMap(({ leafIndex, entry: { authority } }) =>
    authority?.digest !== undefined && authority.verification.status === 'verified' && isAsked(authority)
      ? [{ digest: authority.digest, leaf: String(leafIndex), authority }]
      : [],
  );

/** An issuer's id for a token or delegation: ids of two issuers are never the same. */
export const delegationKey = (issuer = '', id = ''): string => `${issuer.length} ${issuer} ${id}`;
