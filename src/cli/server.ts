import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { allMetrics, buildCollector, openReception, type Reception, senderApi } from '#collector';
import { type Database, openDatabase } from '#database';
import { exportApi } from '#exports';
import { type Ledger, openLedger, policyForOthers, secretFromFile } from '#ledger';
import { LedgerError, type LogReader, openLogReader, openPersonReader, readVerifierKey } from '#ledger/read';
import { type Projection, startProjectionThread } from '#projection';
import { queryApi } from '#query';
import { healthRoutes, serverMetrics } from './health.ts';
import { checkHost } from './host-check.ts';
import { apiServer, listen, listenGrpc } from './listen.ts';
import { ledgerOutside } from './outside-settings.ts';
import { page } from './page.ts';
import { ALL_ROLES, type Role } from './roles.ts';
import type { Settings } from './settings.ts';
import { observeAppend } from './telemetry/observe-append.ts';
import { observeRequests } from './telemetry/observe-requests.ts';
import { SILENT, type Telemetry } from './telemetry/telemetry.ts';
import { readThresholds } from './thresholds-file.ts';

const LOG_ID = 1;

export interface Server {
  readonly apiAddress: string;
  /** Where senders send to, when the server collects. */
  readonly otlp?: { readonly http: string; readonly grpc: string };
  readonly ledgerSize: () => Promise<bigint>;
  /** Resolves when chains take account of everything sequenced so far, and a checkpoint covers it. */
  settle(): Promise<void>;
  /** Not ready from now on; what was taken in is answered, sequenced and published first. */
  close(): Promise<void>;
}

/** What the parts of one server are made with, and how they are closed again: in reverse. */
interface Making {
  readonly settings: Settings;
  readonly roles: ReadonlySet<Role>;
  readonly database: Database;
  readonly keyFolder: string;
  readonly log: LogReader;
  readonly onAlarm: (error: unknown) => void;
  readonly telemetry: Telemetry;
  readonly opened: <T>(part: T, stop: (part: T) => Promise<unknown>) => T;
}

interface Parts {
  readonly ledger: Ledger | undefined;
  readonly reception: Reception | undefined;
  readonly projection: Projection | undefined;
  /** Why nobody should be sent here. */
  readonly trouble: () => Error | undefined;
}

/**
 * Starts the parts its roles need in the order data flows and gives them to each other; what was started is closed in
 * reverse when a later part fails to start.
 */
export async function startServer(
  settings: Settings,
  tell: (says: string) => void,
  roles: ReadonlySet<Role> = ALL_ROLES,
  telemetry: Telemetry = SILENT,
): Promise<Server> {
  const closing: (() => Promise<unknown>)[] = [];
  let isClosing = false;
  const close = async () => {
    isClosing = true;
    for (const stop of closing.splice(0).toReversed()) await stop();
  };
  const opened: Making['opened'] = (part, stop) => {
    closing.push(() => stop(part));
    return part;
  };
  try {
    const { databaseUrl: url, dataDir } = settings;
    const database = opened(
      await openDatabase({ ...(url === undefined ? {} : { url }), dataDir, onProgress: tell }),
      (each) => each.close(),
    );
    const onAlarm = (thrown: unknown) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      tell(`alarm: ${error.message}`);
      telemetry.alarm(error);
    };
    const log = openLogReader({ database, logId: LOG_ID });
    const making: Making = {
      settings,
      roles,
      database,
      keyFolder: join(dataDir, 'keys'),
      log,
      onAlarm,
      telemetry,
      opened,
    };
    const ledger = await writer(making);
    const reception = roles.has('collect') && ledger !== undefined ? await receptionOf(making, ledger) : undefined;
    const projection = roles.has('project') ? await follower(making) : undefined;
    const trouble = () =>
      isClosing ? new Error('the server is stopping') : (reception?.trouble() ?? projection?.trouble());
    const parts: Parts = { ledger, reception, projection, trouble };
    const api = await apiOf(making, parts);
    const apiAddress = await listen(api, { host: settings.host, port: settings.apiPort, variable: 'BEHALF_API_PORT' });
    const otlp = reception === undefined ? undefined : await listenForSenders(making, reception);
    const ledgerSize = async () => (await log.log()).size;
    const settle = async () => {
      if (roles.has('publish')) await ledger?.publish();
      await projection?.caughtUp(await ledgerSize());
    };
    return { apiAddress, ...(otlp === undefined ? {} : { otlp }), ledgerSize, settle, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The log's writer, for those who sequence or sign. One that only collects leaves the log's key alone. */
async function writer({ settings, roles, database, keyFolder, onAlarm, opened }: Making): Promise<Ledger | undefined> {
  if (!roles.has('collect') && !roles.has('publish')) return undefined;
  const outside = roles.has('publish') ? await ledgerOutside(settings) : {};
  const { key, idWindowHours } = settings;
  const signing = { signs: roles.has('publish'), ...(key === undefined ? {} : { key }) };
  return opened(
    await openLedger({ database, keyFolder, logId: LOG_ID, idWindowHours, onAlarm, ...signing, ...outside }),
    (each) => each.close(),
  );
}

async function follower({ settings, database, onAlarm, opened }: Making): Promise<Projection> {
  const { thresholdsFile } = settings;
  const given = thresholdsFile === undefined ? {} : { thresholds: await readThresholds(thresholdsFile) };
  const options = { url: database.url, logId: LOG_ID, onAlarm, ...given };
  return opened(startProjectionThread(options), (each) => each.close());
}

async function receptionOf({ keyFolder, onAlarm, telemetry }: Making, ledger: Ledger): Promise<Reception> {
  const idKey = await secretFromFile(join(keyFolder, 'observation-ids'), 32);
  return openReception({ ledger: telemetry.on ? observeAppend(ledger) : ledger, idKey, onAlarm });
}

async function listenForSenders({ settings, telemetry, opened }: Making, reception: Reception) {
  const collector = opened(buildCollector({ reception }), (each) => each.close());
  if (telemetry.on) observeRequests(collector);
  const { host, otlpHttpPort: port } = settings;
  const http = await listen(collector, { host, port, variable: 'BEHALF_OTLP_HTTP_PORT' });
  const { address: grpc } = opened(await listenGrpc(reception, settings), (each) => each.collector.close());
  return { http, grpc };
}

async function apiOf(making: Making, parts: Parts): Promise<FastifyInstance> {
  const { roles, database, log, telemetry, opened } = making;
  const api = opened(apiServer(), (each) => each.close());
  if (telemetry.on) observeRequests(api);
  checkHost(api);
  if (roles.has('query')) await registerQuery(api, making, parts);
  else healthRoutes(api, { database, trouble: parts.trouble });
  const { accounting } = parts.reception ?? {};
  const measure = () => serverMetrics(log, parts.projection && (() => parts.projection?.size() ?? 0n));
  await api.register(senderApi, { ...(accounting === undefined ? {} : { accounting }), measure });
  await telemetry.metrics(() => allMetrics({ ...(accounting === undefined ? {} : { accounting }), measure }));
  return api;
}

async function registerQuery(api: FastifyInstance, making: Making, { ledger, projection, trouble }: Parts) {
  const { settings, database, keyFolder, log, onAlarm } = making;
  const verifierKey = ledger?.verifierKey ?? (await storedVerifierKey(database));
  const { origin } = await log.log();
  const persons = await openPersonReader({ database, logId: LOG_ID, origin, keyFolder });
  const policy = policyForOthers(verifierKey, (await ledgerOutside(settings)).witnesses?.policy);
  const followed = { size: () => projection?.size() ?? 0n, trouble };
  await api.register(queryApi, { database, log, persons, projection: followed, verifierKey, policy, onAlarm });
  await api.register(exportApi, { database, log, persons, onAlarm });
  await api.register(page);
}

/** The key that signs the log, for a server that does not write. */
async function storedVerifierKey(database: Database): Promise<string> {
  try {
    return await readVerifierKey(database, LOG_ID);
  } catch (error) {
    if (!(error instanceof LedgerError && error.code === 'missing')) throw error;
    throw new Error('there is no log yet; start a server with role collect or publish first', { cause: error });
  }
}
