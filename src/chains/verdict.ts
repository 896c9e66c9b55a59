import { type Chain, type Finding, type Hop, type Link, VERDICTS, type Verdict } from './chain.ts';
import type { UnjudgedHop } from './hop.ts';
import { groupBy } from './order.ts';

/** Worst first: among findings of one verdict, the worst gives the reason. */
const SEVERITIES: readonly Finding['severity'][] = ['critical', 'warning', 'notice'];

interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
}

/** What a hop amounts to: the worst finding on it, else what its boundary decided, else unknown. */
export function judgeHop(hop: UnjudgedHop, findings: readonly Finding[]): Hop {
  const own = worstOf(findings.filter((finding) => finding.hop === hop.id));
  return { ...hop, ...(own ?? fromDecision(hop)) };
}

function fromDecision(hop: UnjudgedHop): Judgement {
  const { decision, verification } = hop;
  if (decision?.outcome === 'deny')
    return { verdict: 'denied', reason: `refused: ${decision.reason ?? 'no reason given'}` };
  if (decision?.outcome === 'permit' && verification?.status === 'verified') {
    return {
      verdict: 'permitted',
      reason: `${hop.to?.name ?? 'the callee'} verified the token and permitted the call`,
    };
  }
  if (hop.kind === 'local')
    return { verdict: 'unknown', reason: 'a step inside one service; no boundary decided on it' };
  return { verdict: 'unknown', reason: 'no boundary is known to have decided on it' };
}

/**
 * What a chain amounts to: its worst finding, else a refusal, else permitted when every hop where the chain ends was
 * permitted by a boundary or is the issuer's own, else unknown.
 */
export function judgeChain(
  chain: Pick<Chain, 'hops' | 'links' | 'exchanges' | 'findings'>,
  issuerHops: ReadonlySet<string>,
): Judgement {
  const worst = worstOf(chain.findings);
  if (worst !== undefined) return worst;
  const denied = chain.hops.find((hop) => hop.verdict === 'denied');
  if (denied !== undefined) return { verdict: 'denied', reason: denied.reason };
  const refused = chain.exchanges.find((exchange) => exchange.decision.outcome === 'deny');
  if (refused !== undefined)
    return {
      verdict: 'denied',
      reason: `the issuer refused an exchange: ${refused.decision.reason ?? 'no reason given'}`,
    };
  const last = leaves(chain.hops, chain.links);
  const open = last.find((hop) => hop.verdict !== 'permitted' && !issuerHops.has(hop.id));
  const permitted = chain.hops.filter((hop) => hop.verdict === 'permitted').length;
  if (open !== undefined || permitted === 0) {
    return {
      verdict: 'unknown',
      reason: `no boundary is known to have decided on ${open?.to?.name ?? open?.from?.name ?? 'any hop'}`,
    };
  }
  return {
    verdict: 'permitted',
    reason: `all ${permitted} boundaries that decided verified the token and permitted the call, within the authority held`,
  };
}

function worstOf(findings: readonly Finding[]): Judgement | undefined {
  const judged = findings.flatMap(({ verdict, severity, says }) =>
    verdict === null
      ? []
      : [{ verdict, reason: says, rank: VERDICTS.indexOf(verdict) * 3 + SEVERITIES.indexOf(severity) }],
  );
  const [worst] = judged.toSorted((a, b) => a.rank - b.rank);
  return worst && { verdict: worst.verdict, reason: worst.reason };
}

/** Where the chain ends: crossings from which no path of local steps leads to another crossing. */
function leaves(hops: readonly Hop[], links: readonly Link[]): readonly Hop[] {
  const byId = new Map(hops.map((hop) => [hop.id, hop]));
  const above = groupBy(links, (link) => link.to);
  const leading = new Set<string>();
  const rising = hops.filter((hop) => hop.kind === 'crossing').map((hop) => hop.id);
  for (let id = rising.pop(); id !== undefined; id = rising.pop()) {
    for (const { from } of above.get(id) ?? []) {
      if (leading.has(from)) continue;
      leading.add(from);
      if (byId.get(from)?.kind === 'local') rising.push(from);
    }
  }
  return hops.filter((hop) => hop.kind === 'crossing' && !leading.has(hop.id));
}
