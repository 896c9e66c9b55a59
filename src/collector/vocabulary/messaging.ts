import { given, type Reading, type Vocabulary } from './reading.ts';

const OPERATION = ['messaging.operation.name', 'messaging.operation.type', 'messaging.operation'];
const DESTINATION = ['messaging.destination.name', 'messaging.destination', 'messaging.destination.template'];
const CONVERSATION = ['messaging.message.conversation_id', 'messaging.conversation_id'];

/** Queues and topics, semantic conventions 1.44 and before. */
export const messaging: Vocabulary = {
  name: 'messaging',
  keys: [
    'messaging.system',
    ...OPERATION,
    ...DESTINATION,
    ...CONVERSATION,
    'messaging.message.id',
    'messaging.message_id',
  ],
  read: (span) => {
    const destination = span.text(...DESTINATION);
    if (span.text('messaging.system') === undefined && destination === undefined) return undefined;
    const operation = span.text(...OPERATION);
    return given<Reading>({
      protocol: 'messaging',
      messageId: span.text('messaging.message.id', 'messaging.message_id'),
      conversation: span.text(...CONVERSATION),
      operation: [operation, destination].filter((part) => part !== undefined).join(' ') || undefined,
      resource: destination,
    });
  },
};
