import type { Server } from 'node:http';
import type { TestContext } from 'node:test';
import { type Behalf, type BehalfOptions, type GuardOptions, startBehalf } from '@behalf/sdk';
import Fastify, { type FastifyHttpOptions, type FastifyInstance } from 'fastify';
import { type OtlpReceiver, otlpReceiver } from './otlp-receiver.ts';
import { AUDIENCE, type TokenIssuer, tokenIssuer } from './token-issuer.ts';

export interface GuardedService {
  readonly app: FastifyInstance;
  readonly behalf: Behalf;
  readonly receiver: OtlpReceiver;
  readonly issuer: TokenIssuer;
  /** Starts listening and gives the base URL. */
  listen(): Promise<string>;
}

/** A real service behind the guard, with its issuer and a receiver for what it reports; all on loopback. */
export async function guardedService(
  t: TestContext,
  o: { guard?: Partial<GuardOptions>; options?: Partial<BehalfOptions>; fastify?: FastifyHttpOptions<Server> } = {},
): Promise<GuardedService> {
  const [receiver, issuer] = [await otlpReceiver(t), await tokenIssuer(t)];
  const behalf = startBehalf({ service: 'payments', collectorUrl: receiver.url, ...o.options });
  t.after(() => behalf.shutdown({ timeoutMs: 100 }));
  const app = Fastify(o.fastify ?? {});
  t.after(() => app.close());
  await app.register(behalf.guard, { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: AUDIENCE, ...o.guard });
  const listen = () => app.listen({ host: '127.0.0.1', port: 0 });
  return { app, behalf, receiver, issuer, listen };
}
