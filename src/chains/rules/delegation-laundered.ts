import type { EntryParty } from '#observation';
import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';
import { describeParty } from '../party-key.ts';
import { credentialOf, entriesOfHop, isSame, type Rule, type Violation } from './rule.ts';

/** An actor that stood in one token is gone from the one made of it. */
export const delegationLaundered: Rule = {
  id: 'delegation_laundered',
  title: 'Delegation laundered',
  meaning:
    'A token was exchanged, or replaced by the service that held it, and an actor that stood in it vanished: what follows looks as if that actor had never been there.',
  clears:
    'The issuer keeps every actor of the token that goes in, in order (keycloak#52691 is an issuer that did not).',
  wrong: 'Two issuers may name one actor differently: across issuers nothing is compared.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['ASI03', 'ASI07', 'ASI10'],
  judge: (evidence) => {
    const exchanged = byExchange(evidence);
    const told = new Set(evidence.exchanges.map(({ tokenOut }) => tokenOut));
    return [...exchanged, ...byReplacement(evidence, told)];
  },
};

const byExchange = (evidence: Evidence): readonly Violation[] =>
  evidence.exchanges.flatMap((exchange) => {
    const [held, given] = [readOf(evidence, exchange.tokenIn), readOf(evidence, exchange.tokenOut ?? '')];
    const after = given?.actors ?? (exchange.actors.length > 0 ? exchange.actors : undefined);
    const issuer = given?.issuer ?? exchange.issuer ?? undefined;
    if (held === undefined || after === undefined || exchange.decision.outcome !== 'permit') return [];
    if (issuer === undefined || held.issuer !== issuer) return [];
    const gone = vanished(held.actors, after);
    if (gone.length === 0) return [];
    const says = `an exchange made ${gone.map(describeParty).join(', ')} vanish: ${chainOf(held.actors)} became ${chainOf(after)}`;
    const entries = [
      exchange.leafIndex,
      ...entriesOfHop(held.hop),
      ...(given === undefined ? [] : entriesOfHop(given.hop)),
    ];
    return [{ hop: exchange.id, says, facts: [{ says, entries: [...new Set(entries)] }] }];
  });

/** Without an exchange in sight: the callee of the hop before and of this one read two tokens of one issuer and subject. */
const byReplacement = (evidence: Evidence, told: ReadonlySet<string | null>): readonly Violation[] =>
  evidence.hops.flatMap((hop) => {
    const entry = credentialOf(evidence, hop);
    const digest = entry?.authority?.digest;
    if (entry === undefined || digest === undefined || told.has(digest) || hop.callerEntries.length === 0) return [];
    const above = evidence.callBefore(hop);
    const inbound = above && credentialOf(evidence, above);
    if (above === undefined || inbound?.authority === undefined || inbound.authority.digest === digest) return [];
    if (!isSame(inbound.subject, entry.subject) || inbound.authority.issuer !== entry.authority?.issuer) return [];
    const gone = vanished(inbound.actors, entry.actors);
    if (gone.length === 0) return [];
    const says = `${above.to?.name ?? 'a service'} was called with a token in which ${gone.map(describeParty).join(', ')} acted, and called on with one in which that actor is gone`;
    return [{ hop: hop.id, says, facts: [{ says, entries: [...entriesOfHop(above), ...entriesOfHop(hop)] }] }];
  });

interface Read {
  readonly hop: UnjudgedHop;
  readonly actors: readonly EntryParty[];
  readonly issuer: string | undefined;
}

/** What a callee read from a token. */
function readOf(evidence: Evidence, digest: string): Read | undefined {
  for (const hop of evidence.usesOf(digest)) {
    const entry = credentialOf(evidence, hop);
    if (entry?.authority?.digest === digest) return { hop, actors: entry.actors, issuer: entry.authority.issuer };
  }
  return undefined;
}

const vanished = (before: readonly EntryParty[], after: readonly EntryParty[]): readonly EntryParty[] =>
  before.filter((actor) => !after.some((kept) => isSame(actor, kept)));

const chainOf = (actors: readonly EntryParty[]): string => actors.map(describeParty).join(', ') || 'no actor';
