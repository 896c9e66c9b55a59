import { describeParty } from '../party-key.ts';
import { at, firstOfEach, nameOf, type Rule } from './rule.ts';

/** A machine’s identity came from a network host it was never seen at. */
export const unexpectedPlace: Rule = {
  id: 'unexpected_place',
  title: 'Token from an unexpected place',
  meaning: 'A machine that always called from the same few hosts called from another one.',
  clears: 'The new host is known to be that workload’s, and after some uses it belongs to its places.',
  wrong: 'A workload was moved or scaled out. One that changes its address all the time is not judged.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['NHI2:2025', 'ASI03'],
  restsOnHistory: true,
  judge: ({ acting, thresholds, peerHostOf }) =>
    firstOfEach(acting(), ({ hop, key }) => `${key} ${peerHostOf(hop)}`).flatMap(({ hop, party, before }) => {
      const host = peerHostOf(hop);
      const { hosts, days } = before;
      if (host === undefined || days < thresholds.enoughDays) return [];
      if (hosts.length === 0 || hosts.length > thresholds.mostHosts || hosts.includes(host)) return [];
      const says = `${nameOf(hop)}: ${describeParty(party)} came from ${host}; on ${days} days before it came from ${hosts.join(', ')}`;
      return [at(hop, says)];
    }),
};
