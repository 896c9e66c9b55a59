import { entriesOfHop, nameOf, type Rule, type Violation } from './rule.ts';

/**
 * A boundary refused, and yet the call succeeded or led on to another that acts for somebody. What a guard does for itself
 * (fetching the issuer's keys, asking a policy engine) carries nobody's authority and is no effect.
 */
export const deniedButEffected: Rule = {
  id: 'denied_but_effected',
  title: 'Effect after a denial',
  meaning: 'A boundary refused, and yet the call succeeded or led on to another that acts for somebody.',
  clears: 'The service stops where it refuses.',
  wrong: 'A service may answer a refusal with success, for instance an empty list.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['ASI03', 'ASI10'],
  judge: ({ hops, links, hop }) =>
    hops
      .filter((denied) => denied.decision?.outcome === 'deny')
      .flatMap((denied): Violation[] => {
        const led = links
          .filter((link) => link.from === denied.id && link.grade !== 'ambiguous')
          .flatMap((link) => hop(link.to) ?? []);
        const effects = led.filter(
          (next) =>
            next.kind === 'crossing' &&
            (next.authority !== null || next.subject !== null) &&
            next.decision?.outcome !== 'deny' &&
            next.outcome?.status !== 'error',
        );
        if (denied.outcome?.status !== 'ok' && effects.length === 0) return [];
        const how = effects.length > 0 ? `led on to ${effects.map(nameOf).join(', ')}` : 'ended with success';
        const says = `${nameOf(denied)} was denied (${denied.decision?.reason ?? 'no reason given'}) and ${how}`;
        return [{ hop: denied.id, says, facts: [{ says, entries: [denied, ...effects].flatMap(entriesOfHop) }] }];
      }),
};
