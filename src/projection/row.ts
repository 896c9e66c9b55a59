import { type Chain, type Finding, type Hop, partyKey } from '#chains';
import { type Entry, type EntryParty, isPersonal, partiesIn } from '#observation';
import { searchable } from './searchable.ts';

/** Rows are named as their columns: they travel as JSON. Times are decimal strings of unix nanoseconds. */
export interface ChainRow {
  readonly chain_id: string;
  readonly set_id: string;
  readonly from_time: string;
  readonly to_time: string;
  readonly subject_key: string | null;
  readonly actor_keys: readonly string[];
  readonly services: readonly string[];
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
  readonly trace_ids: readonly string[];
  readonly transactions: readonly string[];
  readonly verdict: string;
  readonly rules: readonly string[];
  readonly summary: string;
  readonly body: string;
}

export interface HopRow {
  readonly hop_id: string;
  readonly chain_id: string;
  readonly set_id: string;
  readonly time: string;
  readonly from_service: string | null;
  readonly to_service: string | null;
  readonly resource: string | null;
  readonly subject_key: string | null;
  readonly actor_keys: readonly string[];
  readonly scopes: readonly string[];
  readonly grade: string;
  readonly verdict: string;
  readonly rules: readonly string[];
  readonly body: string;
}

export interface FindingRow {
  readonly chain_id: string;
  readonly ordinal: number;
  readonly set_id: string;
  readonly time: string;
  readonly rule: string;
  readonly severity: string;
  readonly body: string;
}

export interface PartyRow {
  readonly party_key: string;
  readonly type: string;
  readonly issuer: string | null;
  readonly id: string | null;
}

/** What a list shows of a chain, persons sealed: the projection's own shape, opened by whoever may. */
export interface SealedSummary {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly subject: EntryParty | null;
  readonly actors: readonly EntryParty[];
  readonly services: readonly string[];
  readonly hops: number;
  readonly verdict: Chain['verdict'];
  readonly reason: string;
  readonly findings: readonly string[];
  readonly completeness: Chain['completeness'];
  readonly traceIds: readonly string[];
}

/** `hops`: the bodies of its hops, as hopRows gives them. */
export function chainRow(chain: Chain, set: bigint, hops: readonly HopRow[] = hopRows(chain, set)): ChainRow {
  const named = [...chain.hops, ...chain.exchanges];
  const scopes = [
    ...chain.hops.flatMap((hop) => hop.authority?.scopes ?? []),
    ...chain.exchanges.flatMap((exchange) => exchange.scopesGranted ?? []),
  ];
  return {
    chain_id: chain.id,
    set_id: String(set),
    from_time: chain.from,
    to_time: chain.to,
    subject_key: chain.subject && searchable(partyKey(chain.subject)),
    actor_keys: searchSet(named.flatMap((each) => each.actors).map(partyKey)),
    services: searchSet(chain.services),
    resources: searchSet(chain.hops.flatMap((hop) => hop.resource ?? [])),
    scopes: searchSet(scopes),
    trace_ids: chain.traceIds,
    transactions: searchSet(chain.transactions),
    verdict: chain.verdict,
    rules: sortedSet(chain.findings.map((finding) => finding.rule)),
    summary: JSON.stringify(summaryOf(chain)),
    body: chainText(chain, hops),
  };
}

function summaryOf(chain: Chain): SealedSummary {
  const { id, from, to, subject, actors, services, verdict, reason, completeness, traceIds } = chain;
  const findings = sortedSet(chain.findings.map((finding) => finding.rule));
  const hops = chain.hops.length;
  return { id, from, to, subject, actors, services, hops, verdict, reason, findings, completeness, traceIds };
}

export const hopRows = (chain: Chain, set: bigint): readonly HopRow[] =>
  chain.hops.map((hop) => hopRow(hop, chain, set));

const hopRow = (hop: Hop, chain: Chain, set: bigint): HopRow => ({
  hop_id: hop.id,
  chain_id: chain.id,
  set_id: String(set),
  time: hop.time,
  from_service: hop.from && searchable(hop.from.name),
  to_service: hop.to && searchable(hop.to.name),
  resource: hop.resource && searchable(hop.resource),
  subject_key: hop.subject && searchable(partyKey(hop.subject)),
  actor_keys: searchSet(hop.actors.map(partyKey)),
  scopes: searchSet(hop.authority?.scopes ?? []),
  grade: hop.grade,
  verdict: hop.verdict,
  rules: sortedSet(chain.findings.filter((finding) => finding.hop === hop.id).map((finding) => finding.rule)),
  body: JSON.stringify(hop),
});

export const findingRows = (chain: Chain, set: bigint): readonly FindingRow[] =>
  chain.findings.map((finding: Finding, ordinal) => ({
    chain_id: chain.id,
    ordinal,
    set_id: String(set),
    time: chain.from,
    rule: finding.rule,
    severity: finding.severity,
    body: JSON.stringify(finding),
  }));

/** Every party an entry names, each once; persons without their id. */
export function partyRows(entries: readonly Entry[]): readonly PartyRow[] {
  const rows = new Map<string, PartyRow>();
  for (const party of entries.flatMap((entry) => partiesIn(entry))) {
    const key = searchable(partyKey(party));
    const id = 'id' in party && !isPersonal(party) ? searchable(party.id) : null;
    const issuer = party.issuer === undefined ? null : searchable(party.issuer);
    rows.set(key, { party_key: key, type: party.type, issuer, id });
  }
  return [...rows.values()];
}

/** A chain's JSON around that of its hops, which is made once. Stitching makes equal chains with their members in one order. */
function chainText(chain: Chain, hops: readonly HopRow[]): string {
  const { hops: _, ...rest } = chain;
  return `{"hops":[${hops.map(({ body }) => body).join(',')}],${JSON.stringify(rest).slice(1)}`;
}

const sortedSet = (values: readonly string[]): string[] =>
  [...new Set(values)].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));

const searchSet = (values: readonly string[]): string[] => sortedSet(values.map(searchable));
