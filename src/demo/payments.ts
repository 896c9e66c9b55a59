import { rm, writeFile } from 'node:fs/promises';
import { currentDelegation, startBehalf } from '@behalf/sdk';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import Fastify, { type FastifyRequest } from 'fastify';
import { EXCHANGE_CALL, exchangeToken } from './exchange-token.ts';
import { BOOKS, PAYMENTS } from './parties.ts';
import { type Books, operationOf, paymentsTools, scopesFor } from './payments-tools.ts';
import { deliverAll, readOptions, readSecret, serveUntilStopped } from './service-process.ts';

const options = readOptions(['collector', 'issuer', 'books', 'debug-file']);
const { collector, issuer, books } = options;
const secret = readSecret();
const behalf = startBehalf({
  service: PAYMENTS.name,
  collectorUrl: collector,
  audiences: { [books]: BOOKS.resource },
});

const app = Fastify({ bodyLimit: 65_536 });
await app.register(behalf.guard, { issuer, audience: PAYMENTS.resource });

/** MCP streamable HTTP, stateless: every message is one POST, answered as JSON; each tool has its own scope. */
app.post(
  '/mcp',
  {
    config: {
      behalf: { scopes: ({ body }) => scopesFor(body), operation: ({ body }) => operationOf(body) },
    },
  },
  async (request, reply) => {
    const answer = await answerMcp(request);
    reply.code(answer.status).headers(Object.fromEntries(answer.headers));
    return reply.send(Buffer.from(await answer.arrayBuffer()));
  },
);

async function answerMcp(request: FastifyRequest): Promise<Response> {
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  const server = paymentsTools(writeToBooks);
  await server.connect(transport);
  const headers = new Headers();
  for (const name of ['accept', 'content-type', 'mcp-protocol-version']) {
    const value = request.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  const message = new Request(`http://127.0.0.1${request.url}`, { method: 'POST', headers });
  return transport.handleRequest(message, { parsedBody: request.body });
}

const writeToBooks: Books = async (path, body) => {
  const token = await exchangeToken({
    issuer,
    secret,
    client: PAYMENTS.name,
    subjectToken: currentDelegation()?.bearerToken() ?? '',
    audience: BOOKS.resource,
    fetch: (url, init) => behalf.fetch(url, { ...init, behalf: EXCHANGE_CALL }),
  });
  const request = { url: `${books}${path}`, headers: { 'content-type': 'application/json' }, body };
  await rememberForDebugging(request, token);
  const answer = await behalf.fetch(request.url, {
    method: 'POST',
    headers: request.headers,
    body: JSON.stringify(body),
    behalf: { token },
  });
  if (!answer.ok) throw new Error(`the books refused: ${answer.status}`);
};

/**
 * The carelessness the third scene needs: a debug option somebody left on, which keeps the last outgoing request with its
 * bearer token in a file. The file is the demo's own, readable by its user only, and is removed when this process stops.
 */
async function rememberForDebugging(request: { readonly headers: object }, token: string): Promise<void> {
  const shown = { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
  await writeFile(options['debug-file'], JSON.stringify(shown), { mode: 0o600 });
}

const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
serveUntilStopped(Number(address.port), async () => {
  await app.close();
  await rm(options['debug-file'], { force: true });
  await deliverAll(behalf);
});
