import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type Attributes, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { ExchangeRefused, exchangeToken } from './exchange-token.ts';
import { planFrom, SCOPE_OF_TOOL, type ToolCall } from './invoice-model.ts';
import { PAYMENTS, PLANNER } from './parties.ts';

export interface Agent {
  readonly tracer: Tracer;
  readonly issuer: string;
  readonly secret: string;
  readonly payments: string; // origin of the MCP server
}

/** What became of the plan: the calls that were made, and the first that was refused, where the agent stopped. */
export interface AgentRun {
  readonly done: readonly string[];
  readonly refused: readonly string[];
}

const AGENT: Attributes = {
  'gen_ai.agent.id': PLANNER.name,
  'gen_ai.agent.name': PLANNER.name,
  'gen_ai.provider.name': 'rules',
};

/**
 * Reads the invoice, gets a token for the payments tool on the user's behalf and makes the calls of its plan. Spans as
 * the GenAI conventions name them (`invoke_agent`, `execute_tool`); no SDK of Behalf, no check of its own: the issuer checks
 * the token that came in when it is exchanged, the tool checks the one that comes out.
 */
export const runAgent = (agent: Agent, invoice: string, inboundToken: string): Promise<AgentRun> =>
  inSpan(
    agent.tracer,
    `invoke_agent ${PLANNER.name}`,
    { ...AGENT, 'gen_ai.operation.name': 'invoke_agent' },
    async () => {
      const plan = planFrom(invoice);
      const token = await tokenFor(agent, plan, inboundToken);
      const client = await connect(agent, token);
      try {
        return await carryOut(agent, client, plan);
      } finally {
        await client.close();
      }
    },
  );

/** Asks for what the plan needs; refused, it goes on with what it was given. */
async function tokenFor(agent: Agent, plan: readonly ToolCall[], subjectToken: string): Promise<string> {
  const scopes = new Set(plan.map(({ tool }) => SCOPE_OF_TOOL[tool]));
  const { issuer, secret } = agent;
  const request = { issuer, secret, client: PLANNER.name, subjectToken, audience: PAYMENTS.resource, fetch };
  try {
    return await exchangeToken({ ...request, scope: [...scopes].join(' ') });
  } catch (error) {
    if (error instanceof ExchangeRefused && error.error === 'invalid_scope') return exchangeToken(request);
    throw error;
  }
}

async function connect({ payments }: Agent, token: string): Promise<Client> {
  const client = new Client({ name: PLANNER.name, version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', payments), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: (url, init) => (init?.method === 'GET' ? noStream() : fetch(url, init)),
  });
  await client.connect(transport);
  return client;
}

/** The tool is stateless and pushes nothing: the stream the client would open (MCP streamable HTTP) is answered here. */
const noStream = async (): Promise<Response> => new Response(null, { status: 405 });

async function carryOut(agent: Agent, client: Client, plan: readonly ToolCall[]): Promise<AgentRun> {
  const done: string[] = [];
  for (const call of plan) {
    try {
      await callTool(agent, client, call);
      done.push(call.tool);
    } catch (error) {
      return { done, refused: [`${call.tool}: ${error instanceof Error ? error.message : String(error)}`] };
    }
  }
  return { done, refused: [] };
}

const callTool = ({ tracer }: Agent, client: Client, call: ToolCall): Promise<void> =>
  inSpan(
    tracer,
    `execute_tool ${call.tool}`,
    {
      ...AGENT,
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': call.tool,
      'gen_ai.tool.type': 'function',
    },
    async () => {
      const result = await client.callTool({ name: call.tool, arguments: { ...call.arguments } });
      if (result.isError === true) throw new Error(`the tool failed: ${JSON.stringify(result.content).slice(0, 200)}`);
    },
  );

const inSpan = <T>(tracer: Tracer, name: string, attributes: Attributes, run: () => Promise<T>): Promise<T> =>
  tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await run();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute('error.type', error instanceof Error ? error.name : '_OTHER');
      throw error;
    } finally {
      span.end();
    }
  });
