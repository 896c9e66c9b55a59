import { type Behalf, startBehalf } from './behalf.ts';
import type { BehalfOptions } from './settings.ts';

/**
 * Starts Behalf from environment variables, for hosts that want it so; what `overrides` holds wins.
 * `BEHALF_SERVICE` (else `OTEL_SERVICE_NAME`), `BEHALF_COLLECTOR_URL`, `BEHALF_INGEST_KEY` (sent as `Authorization:
 * Bearer`), `BEHALF_ENVIRONMENT`. This is the only file of the SDK that reads the environment.
 */
export function behalfFromEnvironment(overrides: Partial<BehalfOptions> = {}): Behalf {
  const { BEHALF_SERVICE, OTEL_SERVICE_NAME, BEHALF_COLLECTOR_URL, BEHALF_INGEST_KEY, BEHALF_ENVIRONMENT } =
    process.env;
  const service = overrides.service ?? BEHALF_SERVICE ?? OTEL_SERVICE_NAME;
  if (service === undefined) throw new TypeError('behalfFromEnvironment: set BEHALF_SERVICE to this service’s name');
  return startBehalf({
    ...(BEHALF_COLLECTOR_URL !== undefined && { collectorUrl: BEHALF_COLLECTOR_URL }),
    ...(BEHALF_INGEST_KEY !== undefined && { headers: { authorization: `Bearer ${BEHALF_INGEST_KEY}` } }),
    ...(BEHALF_ENVIRONMENT !== undefined && { environment: BEHALF_ENVIRONMENT }),
    ...overrides,
    service,
  });
}
