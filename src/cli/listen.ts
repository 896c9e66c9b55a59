import fastify, { type FastifyInstance } from 'fastify';
import { type GrpcCollector, type Reception, startGrpcCollector } from '#collector';
import type { Settings } from './settings.ts';

/** Chains are asked for by transaction ids too: up to 512 characters, and what percent signs make of them. */
export const apiServer = (): FastifyInstance =>
  fastify({ bodyLimit: 65_536, forceCloseConnections: true, routerOptions: { maxParamLength: 1024 } });

/** Resolves to the address. Throws Error that names the variable to change when the port is in use. */
export async function listen(
  server: FastifyInstance,
  where: { readonly host: string; readonly port: number; readonly variable: string },
): Promise<string> {
  try {
    return await server.listen({ host: where.host, port: where.port });
  } catch (cause) {
    throw explained(cause, where);
  }
}

/** As `listen`, for OTLP/gRPC. */
export async function listenGrpc(
  reception: Reception,
  { host, otlpGrpcPort: port }: Settings,
): Promise<{ readonly collector: GrpcCollector; readonly address: string }> {
  try {
    const collector = await startGrpcCollector(reception, { host, port });
    return { collector, address: `http://${host.includes(':') ? `[${host}]` : host}:${collector.port}` };
  } catch (cause) {
    throw explained(cause, { host, port, variable: 'BEHALF_OTLP_GRPC_PORT' });
  }
}

/** gRPC wraps what the system said in words of its own. */
function explained(
  cause: unknown,
  { host, port, variable }: { readonly host: string; readonly port: number; readonly variable: string },
): unknown {
  if (!(cause instanceof Error && /EADDRINUSE/.test(cause.message))) return cause;
  return new Error(`port ${port} on ${host} is in use; stop what uses it, or set ${variable} to another port`, {
    cause,
  });
}
