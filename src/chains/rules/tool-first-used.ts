import { describeParty } from '../party-key.ts';
import { at, firstOfEach, nameOf, type Rule } from './rule.ts';

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
  judge: ({ acting, thresholds }) => {
    const calls = acting().filter(({ hop }) => hop.operation !== null && TOOLS.includes(hop.protocol));
    return firstOfEach(calls, ({ hop, key }) => `${key} ${hop.operation}`).flatMap(({ hop, party, before }) => {
      const { days, tools } = before;
      if (days < thresholds.enoughDays || tools.length === 0 || tools.includes(hop.operation ?? '')) return [];
      const says = `${nameOf(hop)}: ${describeParty(party)} used this tool for the first time, after ${days} days of other use`;
      return [at(hop, says)];
    });
  },
};

const TOOLS: readonly string[] = ['mcp', 'tool'];
