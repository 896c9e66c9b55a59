import { startBehalf } from '@behalf/sdk';
import Fastify from 'fastify';
import { BOOKS, PAY_INVOICE, WRITE_PAYEE } from './parties.ts';
import { deliverAll, readOptions, serveUntilStopped } from './service-process.ts';
import { traceresponse } from './traceresponse.ts';

const { collector, issuer } = readOptions(['collector', 'issuer']);
const behalf = startBehalf({ service: BOOKS.name, collectorUrl: collector });

const text = { type: 'string', minLength: 1, maxLength: 100 };
const exactly = (...names: string[]) => ({
  type: 'object',
  required: names,
  additionalProperties: false,
  properties: Object.fromEntries(names.map((name) => [name, text])),
});

const payments: unknown[] = [];
const payees: unknown[] = [];

const app = Fastify({ bodyLimit: 65_536 });
app.addHook('onSend', traceresponse);
await app.register(behalf.guard, { issuer, audience: BOOKS.resource });
app.post(
  '/payments',
  {
    schema: { body: exactly('invoice', 'payee', 'iban', 'amount') },
    config: { behalf: { scopes: [PAY_INVOICE], operation: 'record payment' } },
  },
  async (request, reply) => reply.code(201).send({ number: payments.push(request.body) }),
);
app.post(
  '/payees',
  {
    schema: { body: exactly('name', 'iban') },
    config: { behalf: { scopes: [WRITE_PAYEE], operation: 'record payee' } },
  },
  async (request, reply) => reply.code(201).send({ number: payees.push(request.body) }),
);

const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
serveUntilStopped(Number(address.port), async () => {
  await app.close();
  await deliverAll(behalf);
});
