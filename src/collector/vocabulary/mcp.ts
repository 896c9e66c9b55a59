import { createHash } from 'node:crypto';
import { given, type Reading, type Vocabulary } from './reading.ts';

const TOOL = ['gen_ai.tool.name', 'mcp.tool.name'];
const REQUEST = ['jsonrpc.request.id', 'mcp.request.id'];

/**
 * Model Context Protocol spans. `mcp.tool.name` stands in no convention but is sent. A session id of MCP up to
 * 2025-11-25 may open the session to whoever holds it: it is kept as its SHA-256 only.
 */
export const mcp: Vocabulary = {
  name: 'mcp',
  keys: [...TOOL, ...REQUEST, 'mcp.method.name', 'mcp.resource.uri', 'mcp.session.id', 'gen_ai.prompt.name'],
  read: (span) => {
    const method = span.text('mcp.method.name');
    if (method === undefined && span.text('mcp.tool.name') === undefined) return undefined;
    const tool = span.text(...TOOL);
    const session = span.text('mcp.session.id');
    const target = tool ?? span.text('gen_ai.prompt.name');
    return given<Reading>({
      step: 'tool',
      protocol: 'mcp',
      conversation: session === undefined ? undefined : `sha256:${createHash('sha256').update(session).digest('hex')}`,
      requestId: span.text(...REQUEST),
      operation: method === undefined ? undefined : target === undefined ? method : `${method} ${target}`,
      resource: span.text('mcp.resource.uri') ?? (tool === undefined ? undefined : `tool:${tool}`),
    });
  },
};
