import { beyond, entriesOfHop, type Rule, type Violation } from './rule.ts';

/** Somebody asked for more than their authority held, at a boundary or at the issuer, and was refused. */
export const scopeExceeded: Rule = {
  id: 'scope_exceeded',
  title: 'Asked for more than was held',
  meaning: 'Somebody asked for more than their authority held, at a boundary or at the issuer, and was refused.',
  clears: 'Nobody asks for what is not held: the caller is corrected, or the scope is granted.',
  wrong: 'A program tries and falls back by design.',
  severity: 'warning',
  verdict: 'excessive',
  owasp: ['NHI5:2025', 'ASI02', 'ASI03'],
  judge: ({ hops, exchanges }) => [
    ...hops.flatMap((hop): Violation[] => {
      const missing = beyond(hop.requiredScopes, hop.authority?.scopes ?? []);
      if (hop.decision?.outcome !== 'deny' || hop.authority?.digest === undefined || missing.length === 0) return [];
      const says = `${hop.to?.name ?? 'the callee'} requires ${missing.join(' ')}; the token holds ${hop.authority?.scopes?.join(' ') || 'no scopes'}; refused`;
      return [{ hop: hop.id, says, facts: [{ says, entries: entriesOfHop(hop) }] }];
    }),
    ...exchanges.flatMap((exchange): Violation[] => {
      const wider = beyond(exchange.scopesRequested ?? [], exchange.scopesHeld ?? exchange.scopesRequested ?? []);
      if (exchange.decision.outcome !== 'deny' || wider.length === 0) return [];
      const says = `an exchange asked for ${wider.join(' ')} while the token holds ${exchange.scopesHeld?.join(' ') || 'no scopes'}; the issuer refused`;
      return [{ hop: exchange.id, says, facts: [{ says, entries: [exchange.leafIndex] }] }];
    }),
  ],
};
