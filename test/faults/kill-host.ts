/* The host that test/faults/sdk-kills.ts kills: a guarded Fastify service with a spool. Says its port, serves until it is stopped. */
import { startBehalf } from '@behalf/sdk';
import Fastify from 'fastify';

const [issuer = '', jwksUri = '', audience = '', collectorUrl = '', folder = ''] = process.argv.slice(2);
const behalf = startBehalf({ service: 'payments', collectorUrl, spool: { folder, fsync: 'interval' } });
const app = Fastify();
await app.register(behalf.guard, { issuer, jwksUri, audience });
app.get<{ Params: { id: string } }>(
  '/pay/:id',
  { config: { behalf: { scopes: ['invoice.pay'], resource: ({ params }) => (params as { id: string }).id } } },
  async ({ params }) => ({ paid: params.id }),
);
process.once('SIGTERM', async () => {
  await app.close();
  const { pending } = await behalf.shutdown({ timeoutMs: 60_000 });
  process.exit(pending === 0 ? 0 : 3);
});
const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
process.stdout.write(`${port}\n`);
