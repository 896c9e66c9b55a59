import { type Chain, type Hop, partyKey } from '#chains';
import { searchable } from './searchable.ts';

/** Rows are named as their columns. */
export interface SharedCredentialRow {
  readonly set_id: string;
  readonly digest: string;
  readonly party_key: string;
  readonly workload: string;
  readonly last_seen: string; // unix nanoseconds, decimal
}

/** Who presented each token of a set that a rule found shared: the party it was presented for, and from where. */
export function sharedCredentialRows(chains: readonly Chain[], set: bigint): readonly SharedCredentialRow[] {
  const shared = new Set(chains.flatMap(sharedIn));
  if (shared.size === 0) return [];
  const rows = new Map<string, SharedCredentialRow>();
  for (const hop of chains.flatMap(({ hops }) => hops)) {
    const row = rowOf(hop, set);
    if (row === undefined || !shared.has(row.digest)) continue;
    const key = JSON.stringify([row.digest, row.party_key, row.workload]);
    const known = rows.get(key);
    if (known === undefined || BigInt(known.last_seen) < BigInt(row.last_seen)) rows.set(key, row);
  }
  return [...rows.values()];
}

const sharedIn = ({ findings, hops }: Chain): readonly string[] =>
  findings.some(({ rule }) => rule === 'shared_credential')
    ? findings
        .filter(({ rule }) => rule === 'shared_credential')
        .flatMap((finding) => hops.find(({ id }) => id === finding.hop)?.authority?.digest ?? [])
    : [];

function rowOf({ authority, actors, subject, from, callerEntries, time }: Hop, set: bigint) {
  const party = actors.at(-1) ?? subject;
  if (authority?.digest === undefined || party === null || party === undefined) return undefined;
  return {
    set_id: String(set),
    digest: authority.digest,
    party_key: searchable(partyKey(party)),
    workload: searchable(callerEntries.length > 0 && from !== null ? from.name : UNREPORTED),
    last_seen: time,
  };
}

/** Stands where nobody reported presenting it. */
export const UNREPORTED = '(not reported)';
