import { type Chain, type Exchange, type Finding, type Hop, partyKey } from '#chains';
import type { EntryParty, SealedPerson } from '#observation';
import type { SealedSummary } from '#projection';
import type { ChainSummary, PartyView } from './answers.ts';

/** Opens persons for a reader who may see them: `sealed` -> id, the erased left out. */
export interface PersonOpener {
  open(persons: readonly SealedPerson[]): Promise<ReadonlyMap<string, string>>;
}

/** Shows parties and texts with persons by name. Made for one answer: it knows only the persons asked for. */
export interface Opened {
  party(party: EntryParty): PartyView;
  /** Puts names in the place of the references that rules and verdicts write. */
  text(says: string): string;
}

/** Opens every person among the parties at once. */
export async function openParties(persons: PersonOpener, parties: readonly EntryParty[]): Promise<Opened> {
  const sealed = parties.filter((party): party is SealedPerson => 'ref' in party);
  const ids = sealed.length === 0 ? new Map<string, string>() : await persons.open(sealed);
  const names = new Map(sealed.flatMap(({ ref, sealed }) => (ids.has(sealed) ? [[ref, ids.get(sealed) ?? '']] : [])));
  return {
    party: (party) => view(party, ids),
    text: (says) => says.replace(/\bp_[0-9a-f]{32}\b/g, (ref) => names.get(ref) ?? ref),
  };
}

const view = (party: EntryParty, ids: ReadonlyMap<string, string>): PartyView => ({
  key: partyKey(party),
  type: party.type,
  issuer: party.issuer ?? null,
  basis: party.basis,
  id: 'ref' in party ? (ids.get(party.sealed) ?? null) : party.id,
});

/** A chain with its persons by name. */
export async function openChain(chain: Chain, persons: PersonOpener): Promise<Chain<PartyView>> {
  const opened = await openParties(
    persons,
    [
      ...(chain.subject === null ? [] : [chain.subject]),
      ...chain.actors,
      ...chain.hops.flatMap(partiesOfHop),
      ...chain.exchanges.flatMap((exchange) => [exchange.subject, exchange.requester, ...exchange.actors]),
    ].filter((party) => party !== null),
  );
  const { party, text } = opened;
  return {
    ...chain,
    subject: chain.subject && party(chain.subject),
    actors: chain.actors.map(party),
    hops: chain.hops.map((hop) => showHop(hop, opened)),
    exchanges: chain.exchanges.map((exchange) => showExchange(exchange, opened)),
    findings: chain.findings.map((finding) => showFinding(finding, opened)),
    reason: text(chain.reason),
  };
}

/** Every party a hop names. */
export const partiesOfHop = (hop: Hop): readonly EntryParty[] =>
  [hop.subject, hop.initiator, hop.peer, ...hop.actors].filter((party) => party !== null);

export const showHop = (hop: Hop, { party, text }: Opened): Hop<PartyView> => ({
  ...hop,
  subject: hop.subject && party(hop.subject),
  initiator: hop.initiator && party(hop.initiator),
  actors: hop.actors.map(party),
  peer: hop.peer && party(hop.peer),
  disagreements: hop.disagreements.map((fact) => ({ ...fact, says: text(fact.says) })),
  reason: text(hop.reason),
});

const showExchange = (exchange: Exchange, { party }: Opened): Exchange<PartyView> => ({
  ...exchange,
  requester: exchange.requester && party(exchange.requester),
  subject: exchange.subject && party(exchange.subject),
  actors: exchange.actors.map(party),
});

export const showFinding = (finding: Finding, { text }: Opened): Finding => ({
  ...finding,
  says: text(finding.says),
  facts: finding.facts.map((fact) => ({ ...fact, says: text(fact.says) })),
});

/** Summaries with their persons by name. */
export async function openSummaries(
  summaries: readonly SealedSummary[],
  persons: PersonOpener,
): Promise<readonly ChainSummary[]> {
  const parties = summaries.flatMap(({ subject, actors }) => (subject === null ? actors : [subject, ...actors]));
  const { party, text } = await openParties(persons, parties);
  return summaries.map((summary) => ({
    ...summary,
    subject: summary.subject && party(summary.subject),
    actors: summary.actors.map(party),
    reason: text(summary.reason),
  }));
}
