import type { UnjudgedHop } from '../hop.ts';
import { groupBy } from '../order.ts';
import { at, nameOf, type Rule } from './rule.ts';

/** A path comes back to the same operation again and again. */
export const callCycle: Rule = {
  id: 'call_cycle',
  title: 'Calls in a circle',
  meaning:
    'One path came back to the same operation on the same resource of the same service, more often than is allowed.',
  clears: 'The circle is broken, or so many returns are allowed.',
  wrong: 'Recursion that ends by itself, such as walking a tree, comes back too.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['ASI08', 'ASI10'],
  judge: ({ hops, before, thresholds }) =>
    [...groupBy(hops, placeOf).values()].flatMap((visits) => {
      if (visits.length < thresholds.mostReturns + 2) return [];
      const ids = new Set(visits.map((hop) => hop.id));
      const returned = visits
        .map((hop) => ({ hop, earlier: before(hop.id).filter(({ id }) => ids.has(id)) }))
        .find(({ earlier }) => earlier.length > thresholds.mostReturns);
      if (returned === undefined) return [];
      const { hop, earlier } = returned;
      return [at(hop, `${nameOf(hop)} came on a path that had led there ${earlier.length} times before`, earlier)];
    }),
};

const placeOf = ({ kind, to, operation, resource }: UnjudgedHop): string | undefined =>
  kind === 'local' || to === null || operation === null ? undefined : JSON.stringify([to.name, operation, resource]);
