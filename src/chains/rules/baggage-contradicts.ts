import type { EntryParty, HopEntry } from '#observation';
import type { Accounts } from '../evidence.ts';
import { describeParty } from '../party-key.ts';
import { at, credentialOf, isSame, nameOf, type Rule, type Violation } from './rule.ts';

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
  judge: (evidence) => {
    const found: Violation[] = [];
    for (const hop of evidence.hops) {
      const token = credentialOf(evidence, hop);
      const [said, read] = (token && contradictionIn(evidence.accountsOf(hop), token)) ?? [];
      if (said === undefined || read === undefined) continue;
      found.push(
        at(hop, `${nameOf(hop)}: the ${said.basis} says ${describeParty(said)}, the token ${describeParty(read)}`),
      );
    }
    return found;
  },
};

type Contradiction = readonly [said: EntryParty, read: EntryParty];

function contradictionIn({ callee, caller }: Accounts, token: HopEntry): Contradiction | undefined {
  for (const accounts of [callee, caller])
    for (const other of accounts) {
      const found = contradiction(other, token);
      if (found !== undefined) return found;
    }
  return undefined;
}

const contradiction = (other: HopEntry, token: HopEntry): Contradiction | undefined =>
  other === token
    ? undefined
    : (differing(other.subject, token.subject) ?? differing(other.actors.at(-1), token.actors.at(-1)));

/** Compared only where both state the same issuer and type: names of two kinds may be one party. */
function differing(said: EntryParty | undefined, read: EntryParty | undefined): Contradiction | undefined {
  if (said === undefined || read === undefined || !isUnsigned(said) || isUnsigned(read)) return undefined;
  const isComparable = said.issuer !== undefined && said.issuer === read.issuer && said.type === read.type;
  return isComparable && !isSame(said, read) ? [said, read] : undefined;
}

const isUnsigned = ({ basis }: EntryParty): boolean => basis === 'header' || basis === 'attribute';
