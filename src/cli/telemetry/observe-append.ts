import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { Ledger } from '#ledger';

type Append = Pick<Ledger, 'append'>;

/** The ledger's append under a span of its own: how many observations, and whether they were stored. */
export function observeAppend(ledger: Append): Append {
  const tracer = trace.getTracer('behalf');
  return {
    append: (observations) =>
      tracer.startActiveSpan(
        'ledger append',
        { attributes: { 'behalf.observations': observations.length } },
        async (span) => {
          try {
            return await ledger.append(observations);
          } catch (error) {
            span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'failed' });
            throw error;
          } finally {
            span.end();
          }
        },
      ),
  };
}
