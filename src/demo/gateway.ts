import { currentDelegation, startBehalf } from '@behalf/sdk';
import Fastify from 'fastify';
import { EXCHANGE_CALL, exchangeToken } from './exchange-token.ts';
import { GATEWAY, PAY_INVOICE, PLANNER } from './parties.ts';
import { deliverAll, readOptions, readSecret, serveUntilStopped } from './service-process.ts';
import { traceresponse } from './traceresponse.ts';

const { collector, issuer, planner } = readOptions(['collector', 'issuer', 'planner']);
const secret = readSecret();
const behalf = startBehalf({
  service: GATEWAY.name,
  collectorUrl: collector,
  audiences: { [planner]: PLANNER.resource },
});

const INVOICE = {
  type: 'object',
  required: ['invoice'],
  additionalProperties: false,
  properties: { invoice: { type: 'string', maxLength: 10_000 } },
};

const app = Fastify({ bodyLimit: 65_536 });
app.addHook('onSend', traceresponse);
await app.register(behalf.guard, { issuer, audience: GATEWAY.resource });

/** Hands the invoice to the planner, with a token of its own on the user's behalf. */
app.post<{ Body: { invoice: string } }>(
  '/pay-invoice',
  { schema: { body: INVOICE }, config: { behalf: { scopes: [PAY_INVOICE], operation: 'pay-invoice' } } },
  async (request, reply) => {
    const token = await exchangeToken({
      issuer,
      secret,
      client: GATEWAY.name,
      subjectToken: currentDelegation()?.bearerToken() ?? '',
      audience: PLANNER.resource,
      fetch: (url, init) => behalf.fetch(url, { ...init, behalf: EXCHANGE_CALL }),
    });
    const answer = await behalf.fetch(`${planner}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request.body),
      behalf: { token },
    });
    return reply.code(answer.ok ? 200 : 502).send(await answer.json());
  },
);

const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
serveUntilStopped(Number(address.port), async () => {
  await app.close();
  await deliverAll(behalf);
});
