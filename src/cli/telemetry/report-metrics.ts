import { type BatchObservableResult, metrics, type Observable } from '@opentelemetry/api';
import type { Metric } from '#collector';

/**
 * Gives OpenTelemetry the numbers that `/metrics` shows, under its naming rules, read whenever it exports. Instruments
 * are made of the first reading: the list of metrics does not change while a server runs.
 */
export async function reportMetrics(measure: () => Promise<readonly Metric[]>): Promise<void> {
  const meter = metrics.getMeter('behalf');
  const instruments = new Map<string, Observable>();
  for (const { name, says: description, kind } of await measure()) {
    const named = instrumentName(name);
    instruments.set(
      name,
      kind === 'counter'
        ? meter.createObservableCounter(named, { description })
        : meter.createObservableGauge(named, { description }),
    );
  }
  const observe = async (result: BatchObservableResult) => {
    for (const { name, values } of await measure()) {
      const instrument = instruments.get(name);
      if (instrument === undefined) continue;
      for (const [labels, value] of values) result.observe(instrument, Number(value), labels);
    }
  };
  meter.addBatchObservableCallback(observe, [...instruments.values()]);
}

/** behalf_collector_accepted_total → behalf.collector.accepted (OpenTelemetry metric semantic conventions, naming). */
const instrumentName = (prometheus: string): string =>
  prometheus
    .replace(/_total$/, '')
    .replace(/_(?:bytes|seconds)$/, '')
    .replace(/^(behalf|process)_(collector_)?/, (_all, first: string, second?: string) =>
      second === undefined ? `${first}.` : `${first}.collector.`,
    );
