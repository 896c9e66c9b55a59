import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { UsageError } from './command.ts';
import { OUTSIDE_ENVIRONMENT, type OutsideSettings, outsideSettingsFrom } from './outside-settings.ts';
import { SIGNING_ENVIRONMENT, type SigningSettings, signingSettingsFrom } from './signing-settings.ts';

/** How a server runs. Ports are 0 for any free one. */
export interface Settings extends OutsideSettings, SigningSettings {
  readonly databaseUrl?: string;
  readonly dataDir: string; // absolute
  readonly host: string;
  readonly apiPort: number;
  readonly otlpHttpPort: number;
  readonly otlpGrpcPort: number;
  /** An observation sent again within this many hours is recognised: 24..8784. */
  readonly idWindowHours: number;
  /** A JSON file of thresholds; absolute. */
  readonly thresholdsFile?: string;
}

/** The environment variables a server reads, for --help. */
export const ENVIRONMENT: readonly (readonly [name: string, says: string])[] = [
  ['DATABASE_URL', 'a PostgreSQL 15 to 18; without it an embedded one is started in BEHALF_DATA_DIR'],
  ['BEHALF_DATA_DIR', 'keys, and the embedded database (default .behalf)'],
  ['BEHALF_HOST', 'address to listen on (default 127.0.0.1; only loopback is allowed without authentication)'],
  ['BEHALF_API_PORT', 'query API, page and log (default 7400)'],
  ['BEHALF_OTLP_HTTP_PORT', 'OTLP/HTTP (default 4318)'],
  ['BEHALF_OTLP_GRPC_PORT', 'OTLP/gRPC (default 4317)'],
  ['BEHALF_ID_WINDOW_HOURS', 'how long an observation sent again is recognised, 24 to 8784 (default 24)'],
  ...SIGNING_ENVIRONMENT,
  ['BEHALF_THRESHOLDS', 'a JSON file of what findings are judged by; after a change run behalf reindex'],
  ...OUTSIDE_ENVIRONMENT,
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'where the server tells of itself, by OpenTelemetry and its other OTEL_* variables (default: nowhere)',
  ],
  ['BEHALF_URL', 'the server that chain, export and verify ask (default http://127.0.0.1:7400)'],
];

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a server's settings. Throws UsageError on a value that makes no sense or would open the server to others. */
export function settingsFrom(environment: Environment): Settings {
  const { DATABASE_URL: databaseUrl } = environment;
  return {
    ...(databaseUrl === undefined || databaseUrl === '' ? {} : { databaseUrl }),
    dataDir: resolve(environment.BEHALF_DATA_DIR || '.behalf'),
    host: loopbackOnly(environment.BEHALF_HOST || '127.0.0.1'),
    apiPort: port(environment, 'BEHALF_API_PORT', 7400),
    otlpHttpPort: port(environment, 'BEHALF_OTLP_HTTP_PORT', 4318),
    otlpGrpcPort: port(environment, 'BEHALF_OTLP_GRPC_PORT', 4317),
    idWindowHours: hours(environment, 'BEHALF_ID_WINDOW_HOURS', 24),
    ...signingSettingsFrom(environment),
    ...(environment.BEHALF_THRESHOLDS ? { thresholdsFile: resolve(environment.BEHALF_THRESHOLDS) } : {}),
    ...outsideSettingsFrom(environment),
  };
}

/** Nothing here authenticates readers or senders yet, so nobody but this machine may reach the server. */
function loopbackOnly(host: string): string {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  const isLoopback = name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
  if (isLoopback) return name;
  throw new UsageError(
    `BEHALF_HOST: expected a loopback address (127.0.0.1, ::1, localhost), got ${host}: no authentication is configured, so the server would be open to everyone who reaches it; put an authenticating proxy in front`,
  );
}

function port(environment: Environment, name: string, otherwise: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return otherwise;
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number;
  throw new UsageError(`${name}: expected a port number from 0 to 65535, got ${text.slice(0, 40)}`);
}

function hours(environment: Environment, name: string, otherwise: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return otherwise;
  const number = Number(text);
  if (/^\d{2,4}$/.test(text) && number >= 24 && number <= 8784) return number;
  throw new UsageError(`${name}: expected a number of hours from 24 to 8784, got ${text.slice(0, 40)}`);
}
