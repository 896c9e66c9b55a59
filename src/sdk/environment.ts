import { type Behalf, startBehalf } from './behalf.ts';
import type { BehalfOptions } from './settings.ts';

/**
 * Starts Behalf from environment variables, for hosts that want it so; what `overrides` holds wins.
 * `BEHALF_SERVICE` (else `OTEL_SERVICE_NAME`), `BEHALF_COLLECTOR_URL`, `BEHALF_INGEST_KEY` (sent as `Authorization:
 * Bearer`), `BEHALF_ENVIRONMENT`, `BEHALF_SPOOL_FOLDER`, `BEHALF_AUDIENCES` (`origin=audience`, several by comma). This is
 * the only file of the SDK that reads the environment. Throws TypeError naming the variable.
 */
export function behalfFromEnvironment(overrides: Partial<BehalfOptions> = {}): Behalf {
  const { env } = process;
  const service = overrides.service ?? env.BEHALF_SERVICE ?? env.OTEL_SERVICE_NAME;
  if (service === undefined) throw new TypeError('behalfFromEnvironment: set BEHALF_SERVICE to this service’s name');
  return startBehalf({
    ...(env.BEHALF_COLLECTOR_URL !== undefined && { collectorUrl: env.BEHALF_COLLECTOR_URL }),
    ...(env.BEHALF_INGEST_KEY !== undefined && { headers: { authorization: `Bearer ${env.BEHALF_INGEST_KEY}` } }),
    ...(env.BEHALF_ENVIRONMENT !== undefined && { environment: env.BEHALF_ENVIRONMENT }),
    ...(env.BEHALF_SPOOL_FOLDER !== undefined && { spool: { folder: env.BEHALF_SPOOL_FOLDER } }),
    ...(env.BEHALF_AUDIENCES !== undefined && { audiences: parseAudiences(env.BEHALF_AUDIENCES) }),
    ...overrides,
    service,
  });
}

function parseAudiences(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => {
    const [, origin, audience] = /^ *(https?:\/\/[^=]+)=(\S+) *$/.exec(pair) ?? [];
    if (origin === undefined || audience === undefined)
      throw new TypeError('BEHALF_AUDIENCES: expected origin=audience, several by comma, such as https://a.example=a');
    return [origin, audience] as const;
  });
  return Object.fromEntries(pairs);
}
