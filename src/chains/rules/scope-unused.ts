import { describeParty, partyKey } from '../party-key.ts';
import { keyIn } from './dormant-awakened.ts';
import { at, beyond, days, firstOfEach, hasPassed, machineIn, type Rule } from './rule.ts';

/** A machine holds a scope that nothing it did in a long time required. */
export const scopeUnused: Rule = {
  id: 'scope_unused',
  title: 'Scope held and never used',
  meaning: 'A machine holds scopes that no boundary required of it over the whole period it was watched.',
  clears: 'The scope is no longer granted, or is used.',
  wrong: 'Boundaries that do not report what they require leave a scope looking unused.',
  severity: 'notice',
  verdict: null,
  owasp: ['NHI5:2025', 'ASI03'],
  restsOnHistory: true,
  judge: ({ hops, history, thresholds }) =>
    firstOfEach(hops.filter(hasPassed), keyIn).flatMap((hop) => {
      const party = machineIn(hop);
      const known = party && history.partyBefore(partyKey(party));
      if (party === undefined || known === undefined || known.days < thresholds.enoughDays) return [];
      const watched = BigInt(hop.time) - BigInt(known.firstSeen);
      if (watched < days(thresholds.unusedDays)) return [];
      const required = hops.filter((each) => keyIn(each) === partyKey(party)).flatMap((each) => each.requiredScopes);
      const unused = beyond(hop.authority?.scopes ?? [], [...known.scopesUsed, ...required]);
      if (unused.length === 0 || known.scopesUsed.length + required.length === 0) return [];
      return [
        at(
          hop,
          `${describeParty(party)} holds ${unused.join(' ')} and was not seen to need it in ${watched / days(1)} days`,
        ),
      ];
    }),
};
