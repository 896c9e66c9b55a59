import { given, type Reading, usersIn, type Vocabulary } from './reading.ts';

const STEPS: Readonly<Record<string, Reading['step']>> = { agent: 'agent', tool: 'tool' };
const PROPERTY = 'traceloop.association.properties.';
const USERS = [`${PROPERTY}user_id`, `${PROPERTY}userId`, `${PROPERTY}user.id`];
const SESSIONS = [`${PROPERTY}session_id`, `${PROPERTY}sessionId`, `${PROPERTY}session.id`];

/** OpenLLMetry (Traceloop): names only; inputs and outputs are never read. */
export const traceloop: Vocabulary = {
  name: 'traceloop',
  keys: ['traceloop.span.kind', 'traceloop.entity.name', ...USERS, ...SESSIONS],
  read: (span) => {
    const kind = span.text('traceloop.span.kind');
    const users = usersIn(span, USERS);
    if (kind === undefined && users === undefined) return undefined;
    const step = kind === undefined ? undefined : (STEPS[kind] ?? 'model');
    const entity = span.text('traceloop.entity.name');
    return given<Reading>({
      users,
      step,
      agent: step === 'agent' ? entity : undefined,
      protocol: step === 'agent' || step === 'tool' ? step : undefined,
      conversation: span.text(...SESSIONS),
      resource: step === 'tool' && entity !== undefined ? `tool:${entity}` : undefined,
    });
  },
};
