import { given, type Reading, type Vocabulary } from './reading.ts';

const STEPS: Readonly<Record<string, Reading['step']>> = { AGENT: 'agent', TOOL: 'tool', LLM: 'model' };

/** OpenInference (2026-08): names only. `user.id` is read with OpenTelemetry's. */
export const openInference: Vocabulary = {
  name: 'openinference',
  keys: ['openinference.span.kind', 'agent.name', 'tool.name', 'session.id'],
  read: (span) => {
    const kind = span.text('openinference.span.kind');
    if (kind === undefined) return undefined;
    const step = STEPS[kind.toUpperCase()];
    const tool = span.text('tool.name');
    return given<Reading>({
      step: step ?? 'model',
      agent: span.text('agent.name'),
      protocol: step === 'agent' || step === 'tool' ? step : undefined,
      conversation: span.text('session.id'),
      resource: step === 'tool' && tool !== undefined ? `tool:${tool}` : undefined,
    });
  },
};
