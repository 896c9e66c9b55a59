import { currentDelegation } from '@behalf/sdk';
import type { onSendAsyncHookHandler } from 'fastify';

/** Tells the caller which trace its request became (W3C Trace Context level 2 draft, `traceresponse`), to look it up by. */
export const traceresponse: onSendAsyncHookHandler = async (_request, reply) => {
  const hop = currentDelegation()?.hop;
  if (hop !== undefined) reply.header('traceresponse', `00-${hop.traceId}-${hop.spanId}-01`);
};

/** The trace id in an answer's `traceresponse` header. Throws when there is none. */
export function traceIdIn(header: string | null | undefined): string {
  const traceId = /^00-([0-9a-f]{32})-/.exec(header ?? '')?.[1];
  if (traceId === undefined) throw new Error('the answer does not say which trace it belongs to');
  return traceId;
}
