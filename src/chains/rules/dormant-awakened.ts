import { describeParty, partyKey } from '../party-key.ts';
import { at, days, firstOfEach, hasPassed, machineIn, nameOf, type Rule } from './rule.ts';

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
  judge: ({ hops, history, thresholds }) =>
    firstOfEach(hops.filter(hasPassed), (hop) => keyIn(hop)).flatMap((hop) => {
      const party = machineIn(hop);
      const known = party && history.partyBefore(partyKey(party));
      if (party === undefined || known === undefined) return [];
      const silent = BigInt(hop.time) - BigInt(known.lastSeen);
      if (silent <= days(thresholds.dormantDays)) return [];
      return [at(hop, `${nameOf(hop)}: ${describeParty(party)} acts after ${silent / days(1)} days of silence`)];
    }),
};

/** The key of the machine that acts in a hop. */
export const keyIn = (hop: Parameters<typeof machineIn>[0]): string | undefined => {
  const party = machineIn(hop);
  return party && partyKey(party);
};
