import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { PAY_INVOICE, WRITE_PAYEE } from './parties.ts';

const text = z.string().min(1).max(100);

/** What each tool needs to be allowed. */
const SCOPES: ReadonlyMap<string, string> = new Map([
  ['pay_invoice', PAY_INVOICE],
  ['add_payee', WRITE_PAYEE],
]);

/** The tools a JSON-RPC message or batch calls (MCP `tools/call`), by name. */
function toolsIn(message: unknown): readonly string[] {
  if (Array.isArray(message)) return message.flatMap(toolsIn);
  if (typeof message !== 'object' || message === null || !('method' in message)) return [];
  if (message.method !== 'tools/call') return [];
  const { params } = message as { readonly params?: { readonly name?: unknown } };
  return typeof params?.name === 'string' ? [params.name] : [];
}

/** The scopes a request needs: those of every tool it calls. A tool nobody knows needs none, and is refused by name. */
export const scopesFor = (message: unknown): readonly string[] => [
  ...new Set(toolsIn(message).flatMap((tool) => SCOPES.get(tool) ?? [])),
];

/** What to call the request in a chain: the tool, or the protocol step. */
export function operationOf(message: unknown): string {
  const [tool] = toolsIn(message);
  if (tool !== undefined) return `tools/call ${tool.slice(0, 100)}`;
  const method = typeof message === 'object' && message !== null && 'method' in message ? message.method : undefined;
  return typeof method === 'string' ? method.slice(0, 100) : 'unknown';
}

/** Writes to the books; throws when they refuse. */
export type Books = (path: string, body: Readonly<Record<string, string>>) => Promise<void>;

/** An MCP server for one request (stateless): two tools, both kept by the books. */
export function paymentsTools(books: Books): McpServer {
  const server = new McpServer({ name: 'payments', version: '1.0.0' });
  const answer = (says: string) => ({ content: [{ type: 'text' as const, text: says }] });
  server.registerTool(
    'pay_invoice',
    { description: 'Pay an invoice', inputSchema: { invoice: text, payee: text, iban: text, amount: text } },
    async (payment) => {
      await books('/payments', payment);
      return answer(`paid ${payment.invoice}`);
    },
  );
  server.registerTool(
    'add_payee',
    { description: 'Add somebody who may be paid', inputSchema: { name: text, iban: text } },
    async (payee) => {
      await books('/payees', payee);
      return answer(`added ${payee.name}`);
    },
  );
  return server;
}
