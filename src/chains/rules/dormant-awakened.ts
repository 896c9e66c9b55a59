import { describeParty } from '../party-key.ts';
import { at, days, firstOfEach, nameOf, type Rule } from './rule.ts';

/** A machine that was silent for long acts again. */
export const dormantAwakened: Rule = {
  id: 'dormant_awakened',
  title: 'Dormant identity awakened',
  meaning: 'A machine’s identity that had not been used for long was used again.',
  clears: 'Its owner confirms the use, or the identity is removed.',
  wrong: 'Yearly jobs sleep for long by design.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['NHI1:2025', 'ASI10'],
  restsOnHistory: true,
  judge: ({ acting, thresholds }) =>
    firstOfEach(acting(), ({ key }) => key).flatMap(({ hop, party, before }) => {
      const silent = BigInt(hop.time) - BigInt(before.lastSeen);
      if (silent <= days(thresholds.dormantDays)) return [];
      return [at(hop, `${nameOf(hop)}: ${describeParty(party)} acts after ${silent / days(1)} days of silence`)];
    }),
};
