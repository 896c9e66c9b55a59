import { given, type Reading, usersIn, type Vocabulary } from './reading.ts';

const METADATA = 'ai.telemetry.metadata.';
const USERS = [`${METADATA}userId`, `${METADATA}user_id`, `${METADATA}user.id`];
const SESSIONS = [`${METADATA}sessionId`, `${METADATA}session_id`, `${METADATA}session.id`];
const RUNS = ['ai.generateText', 'ai.streamText', 'ai.generateObject', 'ai.streamObject'];

/** Vercel AI SDK: the program's own metadata and tool names; prompts, arguments and results are never read. */
export const vercelAi: Vocabulary = {
  name: 'ai',
  keys: ['ai.operationId', 'ai.toolCall.name', `${METADATA}agent`, ...USERS, ...SESSIONS],
  read: (span) => {
    const operation = span.text('ai.operationId');
    if (operation === undefined) return undefined;
    const tool = span.text('ai.toolCall.name');
    const agent = span.text(`${METADATA}agent`);
    const step =
      operation === 'ai.toolCall' ? 'tool' : RUNS.includes(operation) && agent !== undefined ? 'agent' : 'model';
    return given<Reading>({
      users: usersIn(span, USERS),
      step,
      agent,
      protocol: step === 'model' ? undefined : step,
      conversation: span.text(...SESSIONS),
      operation: tool === undefined ? operation : `${operation} ${tool}`,
      resource: tool === undefined ? undefined : `tool:${tool}`,
    });
  },
};
