import { logs, SeverityNumber } from '@opentelemetry/api';
import { type Metric, OWN_TELEMETRY } from '#collector';
import about from '../../../package.json' with { type: 'json' };
import type { Settings } from '../settings.ts';
import { refuseOwnCollector } from './refuse-own-collector.ts';
import { reportMetrics } from './report-metrics.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the server tells of itself, as OpenTelemetry: numbers, requests, alarms. No content of what it was sent. */
export interface Telemetry {
  /** Whether anything is exported: what costs something is left out otherwise. */
  readonly on: boolean;
  alarm(error: Error): void;
  metrics(measure: () => Promise<readonly Metric[]>): Promise<void>;
  /** What is under way is exported, for as long as the exporter's own timeout. */
  close(): Promise<void>;
}

/** Tells nobody. */
export const SILENT: Telemetry = { on: false, alarm() {}, async metrics() {}, async close() {} };

/** Only what is asked for by name: the SDK's own default would send to this very server's port. */
const ASKED_BY = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
];

/**
 * Starts the OpenTelemetry SDK, set by its own OTEL_* variables, when one of them names an endpoint; else nothing is
 * loaded. Throws UsageError when an endpoint is this server's own collector: its telemetry would come back to it as input.
 */
export async function startTelemetry(environment: Environment, settings: Settings): Promise<Telemetry> {
  const asked = ASKED_BY.filter((name) => environment[name]);
  if (asked.length === 0 || environment.OTEL_SDK_DISABLED === 'true') return SILENT;
  for (const name of asked) refuseOwnCollector(name, environment[name] ?? '', settings);
  const { startNodeSdk } = await import('@opentelemetry/sdk-node');
  const sdk = startNodeSdk({
    resourceAttributes: {
      'service.name': environment.OTEL_SERVICE_NAME || 'behalf',
      'service.version': about.version,
      [OWN_TELEMETRY]: true,
    },
  });
  return {
    on: true,
    alarm: (error) => logs.getLogger('behalf').emit(alarmRecord(error)),
    metrics: reportMetrics,
    close: () => sdk.shutdown(),
  };
}

/** An alarm's words are made for an operator's eyes and hold nothing of what was sent. */
const alarmRecord = (error: Error) => ({
  severityNumber: SeverityNumber.ERROR,
  severityText: 'ERROR',
  eventName: 'behalf.alarm',
  body: error.message,
});
