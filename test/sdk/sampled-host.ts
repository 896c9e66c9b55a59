/*
 * A service of test/sdk/sampled-chains.test.ts: guarded, under an OpenTelemetry SDK that samples and exports as its environment
 * says. Arguments: service, issuer, jwksUri, audience, collectorUrl, the service it calls or nothing. Says its port, serves
 * until it is stopped, and delivers everything before it ends.
 */
import { startBehalf } from '@behalf/sdk';
import { NodeSDK } from '@opentelemetry/sdk-node';
import Fastify from 'fastify';

const [service = '', issuer = '', jwksUri = '', audience = '', collectorUrl = '', next] = process.argv.slice(2);
const sdk = new NodeSDK({ serviceName: service, instrumentations: [] });
sdk.start();
const behalf = startBehalf({ service, collectorUrl, ...(next !== undefined && { audiences: { [next]: audience } }) });
const app = Fastify();
await app.register(behalf.guard, { issuer, jwksUri, audience });
app.get('/pay', { config: { behalf: { scopes: ['invoice.pay'] } } }, async (_request, reply) => {
  if (next === undefined) return { paid: true };
  const answer = await behalf.fetch(`${next}/pay`, { behalf: { peerService: 'payments' } });
  return reply.code(answer.status).send(await answer.json());
});
process.once('SIGTERM', async () => {
  await app.close();
  const { pending, lost } = await behalf.shutdown({ timeoutMs: 30_000 });
  await sdk.shutdown();
  process.exit(pending + lost === 0 ? 0 : 3);
});
const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
process.stdout.write(`${port}\n`);
