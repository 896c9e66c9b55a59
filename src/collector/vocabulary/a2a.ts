import { given, type Reading, type Vocabulary } from './reading.ts';

/** Agent2Agent, the proposed conventions (semantic-conventions-genai issue 254). */
export const a2a: Vocabulary = {
  name: 'a2a',
  keys: ['a2a.method.name', 'a2a.task.id', 'a2a.context.id', 'a2a.message.id'],
  read: (span) => {
    const method = span.text('a2a.method.name');
    if (method === undefined) return undefined;
    const task = span.text('a2a.task.id');
    return given<Reading>({
      protocol: 'a2a',
      messageId: span.text('a2a.message.id'),
      conversation:
        span.text('gen_ai.conversation.id', 'a2a.context.id') ?? (task === undefined ? undefined : `task:${task}`),
      operation: method,
      resource: task === undefined ? undefined : `task:${task}`,
    });
  },
};
