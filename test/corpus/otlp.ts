import { attributes } from '../collector/harness.ts';
import type { Plain } from '../collector/otlp-codec.ts';
import type { Random } from './random.ts';
import type { SentRequest } from './truth.ts';

/** A record on its way out of one service. */
export interface Outgoing {
  readonly signal: 'traces' | 'logs';
  readonly service: string;
  readonly instance: string | undefined;
  readonly record: Plain;
}

const MOST_PER_REQUEST = 40;

/** As exporters send: each service its own requests, records of one signal together, in no order that means anything. */
export function requestsOf(records: readonly Outgoing[], random: Random): readonly SentRequest[] {
  const batches = Map.groupBy(records, ({ signal, service, instance }) => `${signal} ${service} ${instance ?? ''}`);
  const requests = [...batches.values()].flatMap((batch) => {
    const shuffled = random.shuffle(batch);
    return Array.from({ length: Math.ceil(shuffled.length / MOST_PER_REQUEST) }, (_, i) =>
      requestOf(shuffled.slice(i * MOST_PER_REQUEST, (i + 1) * MOST_PER_REQUEST)),
    );
  });
  return random.shuffle(requests);
}

function requestOf(batch: readonly Outgoing[]): SentRequest {
  const [first] = batch;
  if (first === undefined) throw new TypeError('a request holds at least one record');
  const resource = {
    attributes: attributes({
      'service.name': first.service,
      ...(first.instance === undefined ? {} : { 'service.instance.id': first.instance }),
    }),
  };
  const records = batch.map(({ record }) => record);
  const request =
    first.signal === 'traces'
      ? { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'corpus' }, spans: records }] }] }
      : { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: '@behalf/sdk' }, logRecords: records }] }] };
  return { signal: first.signal, body: JSON.stringify(request) };
}
