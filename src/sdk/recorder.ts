import { randomUUID } from 'node:crypto';
import { type Logger, ROOT_CONTEXT, SeverityNumber, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { hrTime } from './clock.ts';
import { Delivery, type DeliveryReport } from './delivery.ts';
import { type ExchangeAccount, exchangeAttributes } from './exchange.ts';
import { harmless } from './harmless.ts';
import { type HopAccount, hopAttributes } from './hop.ts';
import { newObservationId } from './observation-id.ts';
import { otlpLogExport } from './otlp-transport.ts';
import { EVENT_EXCHANGE, EVENT_HOP, OBSERVATION_ID, SEQUENCE } from './semconv.ts';
import type { Settings } from './settings.ts';

/**
 * Turns accounts into observations: one OTLP log record each, with its own id and sequence number, whatever the trace
 * sampler decided. Never throws.
 */
export class Recorder {
  readonly #delivery: Delivery;
  readonly #logger: Logger;
  #sequence = 0;

  constructor(settings: Settings) {
    this.#delivery = new Delivery({
      send: otlpLogExport({ url: settings.logsUrl, headers: settings.headers, timeoutMs: 10_000 }),
      queueSize: settings.queueSize,
      delayMs: 200,
    });
    const provider = new LoggerProvider({ resource: resourceOf(settings), processors: [this.#delivery] });
    this.#logger = provider.getLogger('@behalf/sdk');
  }

  record(account: HopAccount | ExchangeAccount): void {
    harmless('recording an observation', () => this.#emit(account));
  }

  flush(timeoutMs: number): Promise<DeliveryReport> {
    return this.#delivery.flush(timeoutMs);
  }

  close(timeoutMs: number): Promise<DeliveryReport> {
    return this.#delivery.close(timeoutMs);
  }

  /** The number is taken before the queue is asked, so that an observation lost there leaves a gap that shows. */
  #emit(account: HopAccount | ExchangeAccount): void {
    this.#sequence += 1;
    this.#logger.emit({
      eventName: account.kind === 'hop' ? EVENT_HOP : EVENT_EXCHANGE,
      severityNumber: SeverityNumber.INFO,
      timestamp: hrTime(account.startMs),
      observedTimestamp: hrTime(account.endMs),
      context: trace.setSpanContext(ROOT_CONTEXT, account.span),
      attributes: {
        [OBSERVATION_ID]: newObservationId(account.startMs),
        [SEQUENCE]: this.#sequence,
        ...(account.kind === 'hop' ? hopAttributes(account) : exchangeAttributes(account)),
      },
    });
  }
}

const resourceOf = ({ service, version, instance, environment }: Settings) =>
  resourceFromAttributes({
    'service.name': service,
    'service.instance.id': instance ?? randomUUID(),
    ...(version !== undefined && { 'service.version': version }),
    ...(environment !== undefined && { 'deployment.environment.name': environment }),
  });
