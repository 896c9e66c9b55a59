import { describeParty } from '../party-key.ts';
import { at, beyond, days, firstOfEach, isSame, machineIn, type Rule } from './rule.ts';

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
  judge: ({ hops, acting, thresholds }) =>
    firstOfEach(acting(), ({ key }) => key).flatMap(({ hop, party, before }) => {
      if (before.days < thresholds.enoughDays) return [];
      const watched = BigInt(hop.time) - BigInt(before.firstSeen);
      if (watched < days(thresholds.unusedDays)) return [];
      const required = hops.filter((each) => isSame(machineIn(each), party)).flatMap((each) => each.requiredScopes);
      const unused = beyond(hop.authority?.scopes ?? [], [...before.scopesUsed, ...required]);
      if (unused.length === 0 || before.scopesUsed.length + required.length === 0) return [];
      return [
        at(
          hop,
          `${describeParty(party)} holds ${unused.join(' ')} and was not seen to need it in ${watched / days(1)} days`,
        ),
      ];
    }),
};
