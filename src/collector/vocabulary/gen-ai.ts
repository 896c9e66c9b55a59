import { given, type Reading, usersIn, type Vocabulary } from './reading.ts';

const AGENT = ['gen_ai.agent.identity.id', 'gen_ai.agent.id', 'gen_ai.agent.name'];
const USERS = ['gen_ai.user', 'llm.user'];
const STEPS: Readonly<Record<string, 'agent' | 'tool'>> = {
  invoke_agent: 'agent',
  create_agent: 'agent',
  invoke_workflow: 'agent',
  execute_tool: 'tool',
};

/** OpenTelemetry GenAI conventions. Messages, arguments and results are never read. */
export const genAi: Vocabulary = {
  name: 'gen_ai',
  keys: [
    ...AGENT,
    ...USERS,
    'gen_ai.operation.name',
    'gen_ai.tool.name',
    'mcp.tool.name',
    'gen_ai.conversation.id',
    'gen_ai.provider.name',
    'gen_ai.system',
    'gen_ai.request.model',
  ],
  read: (span) => {
    const name = span.text('gen_ai.operation.name');
    const agent = span.text(...AGENT);
    const users = usersIn(span, USERS);
    const conversation = span.text('gen_ai.conversation.id');
    const tool = span.text('gen_ai.tool.name', 'mcp.tool.name');
    const provider = span.text('gen_ai.provider.name', 'gen_ai.system');
    if (![name, agent, users, conversation, tool, provider].some((part) => part !== undefined)) return undefined;
    const step = name === undefined ? undefined : (STEPS[name] ?? 'model');
    return given<Reading>({
      users,
      agent,
      step: step ?? (tool === undefined ? undefined : 'tool'),
      protocol: step === 'agent' || step === 'tool' ? step : undefined,
      peerService: step === 'agent' ? agent : step === 'model' ? provider : undefined,
      conversation,
      operation: operationOf(name, { tool, agent, model: span.text('gen_ai.request.model') }),
      resource: tool === undefined ? undefined : `tool:${tool}`,
    });
  },
};

function operationOf(
  name: string | undefined,
  target: { tool: string | undefined; agent: string | undefined; model: string | undefined },
): string | undefined {
  if (name === undefined) return undefined;
  const step = STEPS[name] ?? 'model';
  const of = target[step];
  return of === undefined ? name : `${name} ${of}`;
}
