import type { HopEntry } from '#observation';
import { at, nameOf, type Rule } from './rule.ts';

/** A service sent a credential in its telemetry; the collector left it out. */
export const secretInTelemetry: Rule = {
  id: 'secret_in_telemetry',
  title: 'Secret in telemetry',
  meaning:
    'What looks like a credential stood in a span or log record. It is not in the ledger; other receivers may hold it.',
  clears: 'The service no longer writes it, and the credential is replaced.',
  wrong: 'Text may look like a credential and be none: the collector errs on that side.',
  severity: 'warning',
  verdict: null,
  owasp: ['NHI2:2025'],
  judge: ({ hops, accountsOf }) =>
    hops.flatMap((hop) => {
      const { caller, callee } = accountsOf(hop);
      for (const { reporter, anomalies } of callee.some(hasAnomalies) || caller.some(hasAnomalies)
        ? [...callee, ...caller]
        : NONE) {
        const found = anomalies.find(
          ({ code, detail }) => code === 'redacted' && detail?.includes('looks like a credential'),
        );
        const field = found?.detail?.split(':')[0];
        if (found !== undefined)
          return [at(hop, `${nameOf(hop)}: ${reporter.service} sent what looks like a credential in ${field}`)];
      }
      return [];
    }),
};

const hasAnomalies = ({ anomalies }: HopEntry): boolean => anomalies.length > 0;
const NONE: readonly HopEntry[] = [];
