import { readFile } from 'node:fs/promises';
import { type Behalf, startBehalf } from './behalf.ts';
import type { BehalfOptions } from './settings.ts';

/**
 * Starts Behalf from environment variables, for hosts that want it so; what `overrides` holds wins.
 * `BEHALF_SERVICE` (else `OTEL_SERVICE_NAME`), `BEHALF_COLLECTOR_URL`, `BEHALF_INGEST_KEY` (sent as `Authorization:
 * Bearer`), `BEHALF_ENVIRONMENT`, `BEHALF_SPOOL_FOLDER`, `BEHALF_AUDIENCES` (`origin=audience`, several by comma), `BEHALF_TOKEN_FILE` (a
 * file that holds the service's own token, read anew for every call, as whatever renews it may write it). This is
 * the only file of the SDK that reads the environment. Throws TypeError naming the variable.
 */
export function behalfFromEnvironment(overrides: Partial<BehalfOptions> = {}): Behalf {
  const { env } = process;
  const service = overrides.service ?? env.BEHALF_SERVICE ?? env.OTEL_SERVICE_NAME;
  if (service === undefined) throw new TypeError('behalfFromEnvironment: set BEHALF_SERVICE to this service’s name');
  return naming(variablesOf(overrides), () =>
    startBehalf({
      ...(env.BEHALF_COLLECTOR_URL !== undefined && { collectorUrl: env.BEHALF_COLLECTOR_URL }),
      ...(env.BEHALF_INGEST_KEY !== undefined && { headers: { authorization: `Bearer ${env.BEHALF_INGEST_KEY}` } }),
      ...(env.BEHALF_ENVIRONMENT !== undefined && { environment: env.BEHALF_ENVIRONMENT }),
      ...(env.BEHALF_SPOOL_FOLDER !== undefined && { spool: { folder: env.BEHALF_SPOOL_FOLDER } }),
      ...(env.BEHALF_AUDIENCES !== undefined && { audiences: parseAudiences(env.BEHALF_AUDIENCES) }),
      ...(env.BEHALF_TOKEN_FILE !== undefined && { token: tokenIn(env.BEHALF_TOKEN_FILE) }),
      ...overrides,
      service,
    }),
  );
}

/** Which variable an option came from, where none overrides it. */
function variablesOf(overrides: Partial<BehalfOptions>): ReadonlyMap<string, string> {
  const { env } = process;
  const found: readonly (readonly [option: keyof BehalfOptions, says: string, variable: string])[] = [
    ['service', 'service', env.BEHALF_SERVICE === undefined ? 'OTEL_SERVICE_NAME' : 'BEHALF_SERVICE'],
    ['collectorUrl', 'collectorUrl', 'BEHALF_COLLECTOR_URL'],
    ['headers', 'headers', 'BEHALF_INGEST_KEY'],
    ['environment', 'environment', 'BEHALF_ENVIRONMENT'],
    ['spool', 'spool.folder', 'BEHALF_SPOOL_FOLDER'],
    ['audiences', 'audiences', 'BEHALF_AUDIENCES'],
  ];
  return new Map(
    found.flatMap(([option, says, variable]) =>
      overrides[option] === undefined && env[variable] !== undefined ? [[says, variable]] : [],
    ),
  );
}

/** An option that is wrong is named by the variable that holds it. */
function naming<T>(variables: ReadonlyMap<string, string>, start: () => T): T {
  try {
    return start();
  } catch (error) {
    const [, option = '', says] =
      /^startBehalf: ([\w.]+)(.*)$/s.exec(error instanceof Error ? error.message : '') ?? [];
    const variable = variables.get(option);
    if (variable === undefined) throw error;
    throw new TypeError(`behalfFromEnvironment: ${variable}${says}`, { cause: error });
  }
}

const tokenIn = (path: string) => async (): Promise<string> => (await readFile(path, 'utf8')).trim();

function parseAudiences(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => {
    const [, origin, audience] = /^ *(https?:\/\/[^=]+)=(\S+) *$/.exec(pair) ?? [];
    if (origin === undefined || audience === undefined)
      throw new TypeError('BEHALF_AUDIENCES: expected origin=audience, several by comma, such as https://a.example=a');
    return [origin, audience] as const;
  });
  return Object.fromEntries(pairs);
}
