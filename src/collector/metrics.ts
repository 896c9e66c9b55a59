import type { Account } from './account.ts';
import type { SenderAccount } from './sender-account.ts';

/** A number an operator watches, with the values of its labels in front. */
export interface Metric {
  readonly name: string;
  readonly says: string;
  readonly kind: 'counter' | 'gauge';
  readonly values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number | bigint])[];
}

const counter = (name: string, says: string, values: Metric['values']): Metric => ({
  name: `behalf_collector_${name}_total`,
  says,
  kind: 'counter',
  values,
});
const labelled = (label: string, counts: Readonly<Record<string, number>>): Metric['values'] =>
  Object.entries(counts).map(([value, count]) => [{ [label]: value }, count]);

/** The collector's account as metrics. Counts by service sum up its instances. */
export function collectorMetrics(account: Account, senders: readonly SenderAccount[]): Metric[] {
  const byService = (count: (sender: SenderAccount) => number): Metric['values'] => {
    const sums = new Map<string, number>();
    for (const each of senders) sums.set(each.service, (sums.get(each.service) ?? 0) + count(each));
    return [...sums].map(([service, sum]) => [{ service }, sum]);
  };
  return [
    counter('requests', 'Requests that were answered', [[{}, account.requests]]),
    counter(
      'refused_requests',
      'Requests that were not taken, by HTTP status',
      labelled('status', account.refusedRequests),
    ),
    counter('spans', 'Spans decoded', [[{}, account.spans]]),
    counter('log_records', 'Log records decoded', [[{}, account.logRecords]]),
    counter(
      'not_stored',
      'Spans and records that make no observation, by reason',
      labelled('reason', account.notStored),
    ),
    counter(
      'accepted',
      'Observations sequenced, by service',
      byService(({ accepted }) => accepted),
    ),
    counter(
      'duplicated',
      'Observations that were stored before, by service',
      byService(({ duplicated }) => duplicated),
    ),
    counter(
      'refused',
      'Spans and records refused for good, by service',
      byService(({ refused }) => refused),
    ),
    {
      name: 'behalf_collector_sequence_missing',
      says: "Numbers of the senders' own sequences that did not come, by service",
      kind: 'gauge',
      values: byService(({ sequence }) => Number(sequence?.missing ?? 0n)),
    },
  ];
}

/** Prometheus text exposition format 0.0.4. */
export function formatMetrics(metrics: readonly Metric[]): string {
  const blocks = metrics.map(({ name, says, kind, values }) =>
    [
      `# HELP ${name} ${says}`,
      `# TYPE ${name} ${kind}`,
      ...values.map(([labels, value]) => `${name}${format(labels)} ${value}`),
    ].join('\n'),
  );
  return `${blocks.join('\n')}\n`;
}

function format(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
