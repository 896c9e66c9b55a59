import type { CheckedEvidence } from '@behalf/verify';
import { type Chain, partyKey, type Recorded, stitch } from '#chains';
import type { PartyView } from '#query';

type Party = Parameters<typeof partyKey>[0];

/** What the entries tell, put together here and from them alone; `other` are those that are no observations of Behalf. */
export interface Story {
  readonly chains: readonly Chain<PartyView>[];
  readonly other: readonly bigint[];
}

/** Stitches proven entries, with the names that the bundle discloses. */
export function storyOf({ entries, disclosed }: Pick<CheckedEvidence, 'entries' | 'disclosed'>): Story {
  const read = entries.map(({ index, entry }) => ({ index, recorded: recordedOf(index, entry) }));
  const names = new Map(disclosed.map(({ sealed, text }) => [sealed, text]));
  try {
    const chains = told(
      read.flatMap((each) => each.recorded ?? []),
      names,
    );
    return { chains, other: read.filter((each) => each.recorded === undefined).map(({ index }) => index) };
  } catch {
    // Proven bytes need not be well-formed observations: a log may hold anything. They are still shown as they are.
    return { chains: [], other: entries.map(({ index }) => index) };
  }
}

function told(recorded: readonly Recorded[], names: ReadonlyMap<string, string>): readonly Chain<PartyView>[] {
  const refs = new Map<string, string>();
  for (const party of recorded.flatMap(({ entry }) => partiesOf(entry))) {
    const name = 'ref' in party ? names.get(party.sealed) : undefined;
    if ('ref' in party && name !== undefined) refs.set(party.ref, name);
  }
  const text = (says: string) => says.replace(/\bp_[0-9a-f]{32}\b/g, (ref) => refs.get(ref) ?? `${ref.slice(0, 10)}…`);
  return stitch(recorded).map((chain) => shown(chain, (party) => viewOf(party, names), text));
}

function recordedOf(leafIndex: bigint, text: string): Recorded | undefined {
  try {
    const entry: unknown = JSON.parse(text);
    const isOurs = typeof entry === 'object' && entry !== null && 'v' in entry && entry.v === 1 && 'kind' in entry;
    if (!isOurs || (entry.kind !== 'hop' && entry.kind !== 'exchange')) return undefined;
    return { leafIndex, entry: entry as unknown as Recorded['entry'] };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function partiesOf(entry: Recorded['entry']): readonly Party[] {
  if (entry.kind !== 'hop' && entry.kind !== 'exchange') return [];
  const own = entry.kind === 'hop' ? [entry.initiator, entry.peer] : [entry.requester];
  return [entry.subject, ...(entry.actors ?? []), ...own].filter((party) => party !== undefined);
}

const viewOf = (party: Party, names: ReadonlyMap<string, string>): PartyView => ({
  key: partyKey(party),
  type: party.type,
  issuer: party.issuer ?? null,
  basis: party.basis,
  id: 'ref' in party ? (names.get(party.sealed) ?? null) : party.id,
});

function shown(chain: Chain, view: (party: Party) => PartyView, text: (says: string) => string): Chain<PartyView> {
  const maybe = (party: Party | null) => (party === null ? null : view(party));
  return {
    ...chain,
    reason: text(chain.reason),
    subject: maybe(chain.subject),
    actors: chain.actors.map(view),
    findings: chain.findings.map((finding) => ({ ...finding, says: text(finding.says) })),
    hops: chain.hops.map((hop) => ({
      ...hop,
      reason: text(hop.reason),
      subject: maybe(hop.subject),
      initiator: maybe(hop.initiator),
      peer: maybe(hop.peer),
      actors: hop.actors.map(view),
    })),
    exchanges: chain.exchanges.map((exchange) => ({
      ...exchange,
      requester: maybe(exchange.requester),
      subject: maybe(exchange.subject),
      actors: exchange.actors.map(view),
    })),
  };
}
