import type { EntryParty } from '#observation';
import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';
import { describeParty } from '../party-key.ts';
import { at, credentialOf, nameOf, type Rule } from './rule.ts';

/** An agent presents a person’s token that does not name the agent. */
export const agentAsHuman: Rule = {
  id: 'agent_as_human',
  title: 'Agent under a person’s identity',
  meaning: 'An agent called with a token that names a person alone: the callee believes that the person acts.',
  clears: 'The agent gets a token that names it as the actor for that person.',
  wrong: 'A program that only embeds an agent may have made this call by itself.',
  severity: 'warning',
  verdict: 'suspicious',
  owasp: ['NHI10:2025', 'ASI03', 'ASI09'],
  judge: (evidence) =>
    evidence.passed.flatMap((hop) => {
      const entry = credentialOf(evidence, hop);
      const agent =
        entry?.subject?.type === 'user' && entry.actors.length === 0 ? agentBehind(hop, evidence) : undefined;
      if (entry?.subject === undefined || agent === undefined) return [];
      return [
        at(hop, `${nameOf(hop)}: ${agent} called as ${describeParty(entry.subject)}; the token does not name it`),
      ];
    }),
};

/** The agent that made the call, by the caller’s account or by the step of the same program that led to it. */
function agentBehind(hop: UnjudgedHop, { accountsOf, before }: Evidence): string | undefined {
  const named = agentIn(accountsOf(hop).caller.flatMap((entry) => entry.actors.slice(-1)));
  if (named !== undefined) return named;
  for (const step of before(hop.id)) {
    if (step.kind === 'crossing') return undefined;
    if (step.protocol === 'agent' && step.from?.name === hop.from?.name)
      return agentIn(step.actors) ?? `an agent in ${step.from?.name ?? 'the caller'}`;
  }
  return undefined;
}

const agentIn = (actors: readonly EntryParty[]): string | undefined => {
  const agent = actors.find(({ type }) => type === 'ai_agent');
  return agent && describeParty(agent);
};
