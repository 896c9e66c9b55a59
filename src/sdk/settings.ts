import { validateHeaderName, validateHeaderValue } from 'node:http';
import { type ExchangeOptions, parseExchangeOptions } from './exchange-settings.ts';
import type { AssumedTypes } from './party.ts';
import type { FsyncPolicy } from './spool.ts';

/** What startBehalf takes. Nothing is read from the environment: see behalfFromEnvironment. */
export interface BehalfOptions {
  /** This service's name, as `service.name`. */
  readonly service: string;
  readonly version?: string;
  /** Unique per process; a random one by default. Sequence numbers count per service and instance. */
  readonly instance?: string;
  /** As `deployment.environment.name`. */
  readonly environment?: string;
  /** Base URL of the collector's OTLP/HTTP endpoint; `http://127.0.0.1:4318` by default. */
  readonly collectorUrl?: string;
  /** Sent with every export, such as the ingest key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Most observations that may wait in memory for the collector; 2048 by default. A spool has `maxBytes` instead. */
  readonly queueSize?: number;
  /** Observations go to a folder on disk first, and survive the process there. Without it they wait in memory. */
  readonly spool?: SpoolOptions;
  /**
   * Where tokens may go: origin (`https://payments.example`) → the audience its tokens must name, or `true` when any
   * token may be sent there. Towards every other origin no token, identity header or baggage leaves.
   */
  readonly audiences?: Readonly<Record<string, string | true>>;
  /** The service's own token, used by `behalf.fetch` when a call has neither a token of its own nor a delegation. */
  readonly token?: TokenSource;
  /** Records every `fetch`, undici, `node:http` and `node:https` request of the process, not only those of `behalf.fetch`. */
  readonly automatic?: boolean;
  /** Where `behalf.delegate` exchanges tokens, and as whom. */
  readonly exchange?: ExchangeOptions;
  /** What subjects and actors are where their tokens do not say (`sub_profile`); `unknown` by default. */
  readonly assume?: AssumedTypes;
}

/** The spool: where observations are before they are sent. They name persons in clear: keep the folder to the service. */
export interface SpoolOptions {
  /** Made if it is not there. Processes that share it must see one another's process ids. */
  readonly folder: string;
  /** Most bytes that may wait, for each process; 256 MiB by default, at least 1 MiB. */
  readonly maxBytes?: number;
  /**
   * When it is forced to the disk: before `each` answer leaves, every second (`interval`, the default), or `never`. Only
   * an end of the machine makes a difference, not one of the process.
   */
  readonly fsync?: FsyncPolicy;
  /**
   * What the guard does while there is no room: `lose` the observation, which is counted (the default), or `refuse`
   * requests with 503 where it enforces.
   */
  readonly whenFull?: 'lose' | 'refuse';
}

export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

export interface Settings {
  readonly service: string;
  readonly version: string | undefined;
  readonly instance: string | undefined;
  readonly environment: string | undefined;
  readonly logsUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly queueSize: number;
  readonly spool: Required<SpoolOptions> | undefined;
  readonly audiences: ReadonlyMap<string, string | true>;
  readonly token: TokenSource | undefined;
  readonly automatic: boolean;
  readonly exchange: ExchangeOptions | undefined;
  readonly assume: AssumedTypes;
}

/** Checks the options once, at start: the one place where the SDK throws at its host. Throws TypeError naming the option. */
export function parseSettings(o: BehalfOptions): Settings {
  const queueSize = o.queueSize ?? 2048;
  if (!Number.isSafeInteger(queueSize) || queueSize < 1) {
    throw new TypeError(`startBehalf: queueSize must be a whole number from 1, got ${queueSize}`);
  }
  if (o.queueSize !== undefined && o.spool !== undefined) {
    throw new TypeError('startBehalf: queueSize and spool exclude one another; a spool is bounded by spool.maxBytes');
  }
  return {
    service: name('service', o.service) ?? missing(),
    version: name('version', o.version),
    instance: name('instance', o.instance),
    environment: name('environment', o.environment),
    logsUrl: logsUrlOf(o.collectorUrl ?? 'http://127.0.0.1:4318'),
    headers: parseHeaders(o.headers ?? {}),
    queueSize,
    spool: o.spool && parseSpool(o.spool),
    audiences: new Map(Object.entries(o.audiences ?? {}).map(([origin, audience]) => [originOf(origin), audience])),
    token: o.token,
    automatic: o.automatic === true,
    exchange: o.exchange && parseExchangeOptions(o.exchange),
    assume: o.assume ?? {},
  };
}

function parseSpool({ folder, maxBytes, fsync, whenFull }: SpoolOptions): Required<SpoolOptions> {
  const wrong = (says: string): never => {
    throw new TypeError(`startBehalf: spool.${says}`);
  };
  const size = maxBytes ?? 256 * 1024 * 1024;
  if (typeof folder !== 'string' || folder === '') wrong('folder must name a folder this process may write to');
  if (!Number.isSafeInteger(size) || size < 1024 * 1024) wrong(`maxBytes must be at least 1048576, got ${maxBytes}`);
  if (!['each', 'interval', 'never', undefined].includes(fsync)) wrong('fsync must be each, interval or never');
  if (!['lose', 'refuse', undefined].includes(whenFull)) wrong('whenFull must be lose or refuse');
  return { folder, maxBytes: size, fsync: fsync ?? 'interval', whenFull: whenFull ?? 'lose' };
}

/** Resource attributes go into every observation's reporter, which takes 1 to 255 characters. */
function name(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && value.length <= 255 && value.isWellFormed()) return value;
  throw new TypeError(`startBehalf: ${option} must be a string of 1 to 255 characters`);
}

function missing(): never {
  throw new TypeError('startBehalf: service is missing; give the name this service is known by');
}

function logsUrlOf(base: string): string {
  const url = URL.parse(base);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('startBehalf: collectorUrl must be an http or https URL, such as http://127.0.0.1:4318');
  }
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/logs`;
  return url.href;
}

/** Wrong ones would fail each export: they are told at start. A value may be a key, and is not repeated. */
function parseHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (/^(content-(type|length|encoding)|transfer-encoding|host)$/i.test(name))
      throw new TypeError(`startBehalf: headers must not hold ${name}: the exporter sets it`);
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (cause) {
      throw new TypeError(`startBehalf: headers must be names and values HTTP can carry (RFC 9110), see ${name}`, {
        cause,
      });
    }
  }
  return headers;
}

function originOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || url.origin === 'null' || url.href !== `${url.origin}/`) {
    throw new TypeError(
      `startBehalf: audiences must be keyed by origin, such as https://payments.example, got ${text}`,
    );
  }
  return url.origin;
}
