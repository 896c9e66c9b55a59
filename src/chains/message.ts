import type { HopEntry } from '#observation';

/**
 * What names the one message that crossed, as both of its sides know it: its own id (queues, A2A), or the id of a request
 * with the session it counts in (JSON-RPC ids start anew in every MCP session). A step inside a program crossed nothing.
 */
export function messagesOf({ side, transport }: HopEntry): readonly string[] {
  const { messageId, requestId, conversation } = transport;
  if (side === 'local' || (messageId === undefined && requestId === undefined)) return NONE;
  const keys = messageId === undefined ? [] : [`message ${messageId}`];
  return requestId === undefined || conversation === undefined
    ? keys
    : [...keys, `request ${conversation.length} ${conversation} ${requestId}`];
}

/**
 * The conversation an account may be joined by: that of what was served, and that of a call or step that says nothing of
 * what led to it, or whom it called by name. A request's own id says more than its session: that is no conversation.
 */
export function conversationOf({ side, transport, trace, cause }: HopEntry): string | undefined {
  const { conversation, requestId, peerService } = transport;
  if (conversation === undefined || requestId !== undefined) return undefined;
  const isOrphan = trace?.parentSpanId === undefined && cause === undefined;
  const isJoining = side === 'callee' || isOrphan || (side === 'caller' && peerService !== undefined);
  return isJoining ? conversation : undefined;
}

const NONE: readonly string[] = [];
