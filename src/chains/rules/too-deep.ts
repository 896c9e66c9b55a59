import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';
import { at, hasPassed, nameOf, type Rule } from './rule.ts';

/** A delegation, or a path of calls, that is deeper than any should be. */
export const tooDeep: Rule = {
  id: 'too_deep',
  title: 'Delegation or call path too deep',
  meaning: 'More actors stand in one delegation, or more crossings one after the other, than the limits allow.',
  clears: 'The path is shortened, or the limits are raised for those who need it.',
  wrong: 'The limits are a matter of taste; a deep path is not wrong in itself.',
  severity: 'warning',
  verdict: 'excessive',
  owasp: ['ASI08', 'ASI03'],
  judge: (evidence) => {
    const { mostActors, mostCrossings } = evidence.thresholds;
    const deepActors = evidence.hops.find(
      (hop) => hasPassed(hop) && (hop.actors.length > mostActors || saysTooDeep(hop, evidence)),
    );
    const deepPath = deepest(evidence);
    return [
      ...(deepActors === undefined
        ? []
        : [
            at(
              deepActors,
              `${nameOf(deepActors)} went through with ${deepActors.actors.length} actors or more; at most ${mostActors} are allowed`,
            ),
          ]),
      ...(deepPath === undefined || deepPath.depth <= mostCrossings
        ? []
        : [
            at(
              deepPath.hop,
              `${nameOf(deepPath.hop)} is crossing number ${deepPath.depth} on its path; at most ${mostCrossings} are allowed`,
            ),
          ]),
    ];
  },
};

/** The callee found the act claim deeper than it reads. */
const saysTooDeep = (hop: UnjudgedHop, { accountsOf }: Evidence): boolean =>
  accountsOf(hop).callee.some((entry) => entry.anomalies.some(({ code }) => code === 'act_too_deep'));

/** Hops come parents first, so one pass is enough; a cycle of links counts each hop once. */
function deepest({
  hops,
  above,
  thresholds,
}: Evidence): { readonly hop: UnjudgedHop; readonly depth: number } | undefined {
  if (hops.length <= thresholds.mostCrossings) return undefined;
  const depths = new Map<string, number>();
  let deepest: { hop: UnjudgedHop; depth: number } | undefined;
  for (const hop of hops) {
    let before = 0;
    for (const { from, grade } of above(hop.id))
      if (grade !== 'ambiguous') before = Math.max(before, depths.get(from) ?? 0);
    const depth = before + (hop.kind === 'crossing' ? 1 : 0);
    depths.set(hop.id, depth);
    if (deepest === undefined || depth > deepest.depth) deepest = { hop, depth };
  }
  return deepest;
}
