import { describeParty, partyKey } from '../party-key.ts';
import { keyIn } from './dormant-awakened.ts';
import { at, firstOfEach, hasPassed, machineIn, nameOf, type Rule } from './rule.ts';

/** A machine with settled habits calls a tool it never called. */
export const toolFirstUsed: Rule = {
  id: 'tool_first_used',
  title: 'Tool never used before by this party',
  meaning: 'A machine that always used the same tools used another one.',
  clears: 'The use is expected; after it the tool belongs to its habits.',
  wrong: 'New abilities are new: this says only that nothing like it was seen before.',
  severity: 'notice',
  verdict: null,
  owasp: ['ASI02', 'ASI04'],
  restsOnHistory: true,
  judge: ({ hops, history, thresholds }) =>
    firstOfEach(hops.filter(hasPassed), (hop) => `${keyIn(hop)} ${hop.operation}`).flatMap((hop) => {
      const party = machineIn(hop);
      const known = party && history.partyBefore(partyKey(party));
      if (party === undefined || known === undefined || hop.operation === null || !TOOLS.includes(hop.protocol))
        return [];
      if (known.days < thresholds.enoughDays || known.tools.length === 0 || known.tools.includes(hop.operation))
        return [];
      return [
        at(
          hop,
          `${nameOf(hop)}: ${describeParty(party)} used this tool for the first time, after ${known.days} days of other use`,
        ),
      ];
    }),
};

const TOOLS: readonly string[] = ['mcp', 'tool'];
