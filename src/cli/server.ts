import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { buildCollector, type GrpcCollector, openReception, type Reception, startGrpcCollector } from '#collector';
import { openDatabase } from '#database';
import { exportApi } from '#exports';
import { openLedger, policyForOthers, secretFromFile } from '#ledger';
import { openLogReader, openPersonReader } from '#ledger/read';
import { startProjection } from '#projection';
import { queryApi } from '#query';
import { checkHost } from './host-check.ts';
import { ledgerOutside } from './outside-settings.ts';
import { page } from './page.ts';
import type { Settings } from './settings.ts';

const LOG_ID = 1;

export interface Server {
  readonly apiAddress: string;
  readonly otlpAddress: string;
  readonly otlpGrpcAddress: string;
  readonly ledgerSize: () => Promise<bigint>;
  /** Resolves when chains take account of everything sequenced so far, and a checkpoint covers it. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts every part in the order data flows and gives them to each other; what was started is closed in reverse when a
 * later part fails to start.
 */
export async function startServer(settings: Settings, tell: (says: string) => void): Promise<Server> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const stop of closing.splice(0).toReversed()) await stop();
  };
  const opened = <T>(part: T, stop: (part: T) => Promise<unknown>): T => {
    closing.push(() => stop(part));
    return part;
  };
  try {
    const { databaseUrl: url, dataDir } = settings;
    const database = opened(
      await openDatabase({ ...(url === undefined ? {} : { url }), dataDir, onProgress: tell }),
      (each) => each.close(),
    );
    const keyFolder = join(dataDir, 'keys');
    const onAlarm = (error: unknown) => tell(`alarm: ${error instanceof Error ? error.message : String(error)}`);
    const outside = await ledgerOutside(settings);
    const ledger = opened(await openLedger({ database, keyFolder, logId: LOG_ID, onAlarm, ...outside }), (each) =>
      each.close(),
    );
    const { verifierKey } = ledger;
    const policy = policyForOthers(verifierKey, outside.witnesses?.policy);
    const log = openLogReader({ database, logId: LOG_ID });
    const persons = await openPersonReader({ database, logId: LOG_ID, origin: ledger.origin, keyFolder });
    const projection = opened(startProjection({ database, logId: LOG_ID, onAlarm }), (each) => each.close());
    const api = opened(apiServer(), (each) => each.close());
    checkHost(api);
    await api.register(queryApi, { database, log, persons, projection, verifierKey, policy, onAlarm });
    await api.register(exportApi, { database, log, persons, onAlarm });
    await api.register(page);
    const idKey = await secretFromFile(join(keyFolder, 'observation-ids'), 32);
    const reception = openReception({ ledger, idKey, onAlarm });
    const collector = opened(buildCollector({ reception }), (each) => each.close());
    const apiAddress = await listen(api, settings.host, settings.apiPort, 'BEHALF_API_PORT');
    const otlpAddress = await listen(collector, settings.host, settings.otlpHttpPort, 'BEHALF_OTLP_HTTP_PORT');
    const grpc = opened(await listenGrpc(reception, settings), (each) => each.close());
    const otlpGrpcAddress = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${grpc.port}`;
    const ledgerSize = async () => (await log.log()).size;
    const settle = async () => {
      await ledger.publish();
      await projection.caughtUp(await ledgerSize());
    };
    return { apiAddress, otlpAddress, otlpGrpcAddress, ledgerSize, settle, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Chains are asked for by transaction ids too: up to 512 characters, and what percent signs make of them. */
const apiServer = (): FastifyInstance =>
  fastify({ bodyLimit: 65_536, forceCloseConnections: true, routerOptions: { maxParamLength: 1024 } });

async function listen(server: FastifyInstance, host: string, port: number, variable: string): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (cause) {
    throw explained(cause, { host, port, variable });
  }
}

async function listenGrpc(reception: Reception, { host, otlpGrpcPort: port }: Settings): Promise<GrpcCollector> {
  try {
    return await startGrpcCollector(reception, { host, port });
  } catch (cause) {
    throw explained(cause, { host, port, variable: 'BEHALF_OTLP_GRPC_PORT' });
  }
}

/** gRPC wraps what the system said in words of its own. */
function explained(
  cause: unknown,
  { host, port, variable }: { host: string; port: number; variable: string },
): unknown {
  if (!(cause instanceof Error && /EADDRINUSE/.test(cause.message))) return cause;
  return new Error(`port ${port} on ${host} is in use; stop what uses it, or set ${variable} to another port`, {
    cause,
  });
}
