import { partyKey, type Recorded } from '#chains';
import { type Authority, type Entry, type EntryParty, type HopEntry, isPersonal } from '#observation';
import { searchable } from './searchable.ts';

/** Rows are named as their columns. Times are decimal unix nanoseconds; the smallest and largest of a batch. */
export interface PartyFactRow {
  readonly party_key: string;
  readonly kind: FactKind;
  readonly value: string;
  readonly first_leaf: string;
  readonly first_seen: string;
  readonly last_seen: string;
}

export type FactKind =
  | 'credential'
  | 'day'
  | 'host'
  | 'key'
  | 'on_behalf_of'
  | 'restored'
  | 'revoked'
  | 'scope_held'
  | 'scope_used'
  | 'service'
  | 'target'
  | 'tool';

/**
 * What entries say of parties that are no persons, each fact once: where they act, for whom, with which scopes; and of anybody
 * when they were offboarded or came back.
 */
export function partyFactRows(recorded: readonly Recorded[]): readonly PartyFactRow[] {
  const rows = new Map<string, PartyFactRow>();
  for (const { leafIndex, entry } of recorded) {
    const { party, facts } = said(entry);
    if (party === undefined) continue;
    const shared = { party_key: searchable(partyKey(party)), first_leaf: String(leafIndex) };
    for (const [kind, value] of facts) {
      const row = { ...shared, kind, value: searchable(value), first_seen: entry.time, last_seen: entry.time };
      const key = JSON.stringify([row.party_key, kind, row.value]);
      rows.set(key, together(rows.get(key), row));
    }
  }
  return [...rows.values()];
}

type Fact = readonly [kind: FactKind, value: string];

interface Said {
  readonly party?: EntryParty | undefined;
  readonly facts: readonly Fact[];
}

function said(entry: Entry): Said {
  if (entry.kind === 'revocation') {
    const { target, effect, time } = entry;
    return 'party' in target ? { party: target.party, facts: [[effect, time.padStart(20, '0')]] } : { facts: [] };
  }
  const party = entry.kind === 'hop' ? (entry.actors.at(-1) ?? entry.subject) : undefined;
  if (entry.kind !== 'hop' || party === undefined || isPersonal(party)) return { facts: [] };
  return { party, facts: factsOf(entry, party) };
}

/** By the callee's account only what it read from a credential; by the caller's what it says of itself. */
function factsOf(entry: HopEntry, party: EntryParty): readonly Fact[] {
  const { authority, transport, reporter, decision, operation } = entry;
  const day: Fact = ['day', new Date(Number(BigInt(entry.time) / 1_000_000n)).toISOString().slice(0, 10)];
  if (entry.side !== 'callee') {
    const target = entry.side === 'caller' ? transport.peerService : undefined;
    return [day, ['service', reporter.service], ...(target === undefined ? [] : [['target', target] as const])];
  }
  if (authority?.digest === undefined) return [];
  const isTool = (transport.protocol === 'mcp' || transport.protocol === 'tool') && operation !== undefined;
  const before = delegatorOf(entry, party);
  const isPermitted = decision?.outcome === 'permit';
  return [
    day,
    ['target', reporter.service],
    ...(authority.scopes ?? []).map((scope): Fact => ['scope_held', scope]),
    ...(isPermitted ? (entry.requiredScopes ?? []) : []).map((scope): Fact => ['scope_used', scope]),
    ...(transport.peerAddress === undefined ? [] : [['host', hostOf(transport.peerAddress)] as const]),
    ...(isTool ? [['tool', operation] as const] : []),
    ...(isLasting(authority) ? [['credential', authority.digest] as const] : []),
    ...(authority.verification.keyId === undefined ? [] : [['key', authority.verification.keyId] as const]),
    ...(before === undefined ? [] : [['on_behalf_of', partyKey(before)] as const]),
  ];
}

/** Holds for longer than a day, or has no end: a credential to know by its digest, unlike one that is made for each call. */
const isLasting = ({ issuedAt, expiresAt }: Authority): boolean =>
  expiresAt === undefined || (issuedAt !== undefined && BigInt(expiresAt) - BigInt(issuedAt) > DAY);

const DAY = 86_400_000_000_000n;

/** Who stands right before the last actor: the actor before it, else the subject. */
const delegatorOf = ({ actors, subject }: HopEntry, party: EntryParty): EntryParty | undefined => {
  const before = actors.at(-2) ?? subject;
  return before === undefined || partyKey(before) === partyKey(party) ? undefined : before;
};

const hostOf = (address: string): string => address.replace(/(?<=[\]\d.a-z]):\d+$/, '');

function together(known: PartyFactRow | undefined, row: PartyFactRow): PartyFactRow {
  if (known === undefined) return row;
  const [least, most] = BigInt(row.first_seen) < BigInt(known.first_seen) ? [row, known] : [known, row];
  const latest = BigInt(row.last_seen) > BigInt(known.last_seen) ? row : known;
  const first = BigInt(row.first_leaf) < BigInt(known.first_leaf) ? row : known;
  return { ...most, first_leaf: first.first_leaf, first_seen: least.first_seen, last_seen: latest.last_seen };
}
