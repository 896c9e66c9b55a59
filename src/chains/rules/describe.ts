import type { Thresholds } from '../thresholds.ts';
import type { Rule } from './rule.ts';

/** The rules as Markdown: what stands between the marks in src/chains/findings.md (held by test/chains/findings-page.test.ts). */
export const describeRules = (rules: readonly Rule[], thresholds: Thresholds): string =>
  [...rules.map(describeRule), describeThresholds(thresholds)].join('\n');

const describeRule = (rule: Rule): string =>
  [
    `### ${rule.title} (\`${rule.id}\`)`,
    '',
    rule.meaning,
    '',
    `- Severity: ${rule.severity}. ${rule.verdict === null ? 'It judges nothing.' : `It makes hop and chain **${rule.verdict}**.`}`,
    `- OWASP: ${rule.owasp.join(', ')}.`,
    `- Cleared when: ${rule.clears}`,
    `- Can be wrong: ${rule.wrong}`,
    ...(rule.restsOnAbsence
      ? ['- Not asked where entries were left out: it concludes from something not being there.']
      : []),
    ...(rule.restsOnHistory ? ['- Rests on what was before the chain: without it, it says nothing.'] : []),
    '',
  ].join('\n');

const describeThresholds = (thresholds: Thresholds): string =>
  [
    `### Thresholds (version \`${thresholds.version}\`)`,
    '',
    '| threshold | value |',
    '|---|---|',
    ...Object.entries(thresholds)
      .filter(([name]) => name !== 'version')
      .map(
        ([name, value]) => `| \`${name}\` | ${typeof value === 'number' ? value : `\`${JSON.stringify(value)}\``} |`,
      ),
    '',
  ].join('\n');
