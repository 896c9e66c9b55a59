import { partyKey } from '../party-key.ts';
import { beyond, entriesOfHop, type Rule, type Violation } from './rule.ts';

/**
 * A later authority of the same subject holds a scope the earlier one did not. Another issuer is another domain, where
 * scopes have other names: the comparison starts anew there (OAuth Actor Profile, authority bounds).
 */
export const scopeWidened: Rule = {
  id: 'scope_widened',
  title: 'Scope widened along the chain',
  meaning: 'A later authority of the same subject holds a scope that the one before did not.',
  clears: 'The issuer grants no more than the token that goes in holds.',
  wrong: 'The subject consented to the wider scope in another way, which nobody reported.',
  severity: 'critical',
  verdict: 'excessive',
  owasp: ['NHI5:2025', 'ASI03'],
  judge: ({ links, exchanges, hop }) => [
    ...links.flatMap((link): Violation[] => {
      const [from, to] = [hop(link.from), hop(link.to)];
      if (!from?.authority?.scopes || !to?.authority?.scopes || link.grade === 'ambiguous') return [];
      if (from.authority.issuer !== to.authority.issuer) return [];
      if (from.subject === null || to.subject === null || partyKey(from.subject) !== partyKey(to.subject)) return [];
      const wider = beyond(to.authority.scopes, from.authority.scopes);
      if (wider.length === 0) return [];
      const says = `the next hop holds ${wider.join(' ')} which the hop before did not (${from.authority.scopes.join(' ') || 'no scopes'})`;
      return [{ hop: to.id, says, facts: [{ says, entries: [...entriesOfHop(from), ...entriesOfHop(to)] }] }];
    }),
    ...exchanges.flatMap((exchange): Violation[] => {
      const wider = beyond(exchange.scopesGranted ?? [], exchange.scopesHeld ?? exchange.scopesGranted ?? []);
      if (wider.length === 0) return [];
      const says = `an exchange granted ${wider.join(' ')} beyond ${exchange.scopesHeld?.join(' ') || 'no scopes'}`;
      return [{ hop: exchange.id, says, facts: [{ says, entries: [exchange.leafIndex] }] }];
    }),
  ],
};
