import type { EntryParty, HopEntry } from '#observation';
import { describeParty, partyKey } from '../party-key.ts';
import { at, credentialOf, nameOf, type Rule } from './rule.ts';

/** What travels unsigned says somebody else than the token. */
export const baggageContradicts: Rule = {
  id: 'baggage_contradicts',
  title: 'Baggage contradicts the token',
  meaning: 'A header, baggage or attribute names another party than the token that came with the same call.',
  clears: 'Services take identity from the token only, and strip what travels beside it.',
  wrong: 'Names are compared only where both state the same issuer; a program may write its issuer wrongly.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['ASI03', 'ASI07'],
  judge: (evidence) =>
    evidence.hops.flatMap((hop) => {
      const token = credentialOf(evidence, hop);
      if (token === undefined) return [];
      const { caller, callee } = evidence.accountsOf(hop);
      for (const other of [...callee, ...caller]) {
        const [said, read] = contradiction(other, token) ?? [];
        if (said !== undefined && read !== undefined)
          return [
            at(hop, `${nameOf(hop)}: the ${said.basis} says ${describeParty(said)}, the token ${describeParty(read)}`),
          ];
      }
      return [];
    }),
};

function contradiction(other: HopEntry, token: HopEntry): readonly [EntryParty, EntryParty] | undefined {
  const pairs = [
    [other.subject, token.subject],
    [other.actors.at(-1), token.actors.at(-1)],
  ] as const;
  for (const [said, read] of pairs) {
    if (said === undefined || read === undefined || !UNSIGNED.includes(said.basis) || UNSIGNED.includes(read.basis))
      continue;
    const isComparable = said.issuer !== undefined && said.issuer === read.issuer && said.type === read.type;
    if (isComparable && partyKey(said) !== partyKey(read)) return [said, read];
  }
  return undefined;
}

const UNSIGNED: readonly EntryParty['basis'][] = ['header', 'attribute'];
