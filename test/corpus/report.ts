import { createHash } from 'node:crypto';
import * as semconv from '@behalf/sdk/semconv';
import { attributes } from '../collector/harness.ts';
import type { Plain } from '../collector/otlp-codec.ts';

/** A token as those who hold it know it. */
export interface Token {
  readonly digest: string;
  readonly user: string | undefined;
  readonly actors: readonly string[];
  /** The issuer's ids of this grant and of the one it was made from, where the token names them. */
  readonly id?: string;
  readonly parentId?: string;
}

/** One end of a call, or a step inside one, as its service would report it. */
export interface Report {
  readonly side: 'caller' | 'callee' | 'local';
  readonly id: string; // UUIDv7
  readonly time: bigint; // unix nanoseconds, by the reporter's own clock
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly isSampled: boolean;
  readonly cause: { readonly traceId: string; readonly spanId: string } | undefined;
  readonly protocol: Protocol;
  readonly peer: string | undefined;
  readonly operation: string;
  readonly token: Token | undefined;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly messageId: string | undefined;
  readonly conversation: string | undefined;
  readonly agent: string | undefined;
}
export type Protocol = 'http' | 'grpc' | 'messaging' | 'mcp' | 'a2a';

const ISSUER = 'https://idp.example';
const party = (type: string, id: string, basis: string) => ({ type, id, issuer: ISSUER, basis });
const durationNs = 5_000_000n;

/** A log record as `@behalf/sdk` sends it. */
export function logOf(report: Report): Plain {
  const { token, cause } = report;
  const isCallee = report.side === 'callee';
  const basis = isCallee ? 'token' : 'unverified';
  return {
    timeUnixNano: String(report.time),
    eventName: semconv.EVENT_HOP,
    traceId: report.traceId,
    spanId: report.spanId,
    flags: report.isSampled ? 1 : 0,
    attributes: attributes({
      [semconv.OBSERVATION_ID]: report.id,
      [semconv.HOP_SIDE]: report.side,
      [semconv.TRANSPORT_PROTOCOL]: report.protocol,
      [semconv.OPERATION]: report.operation,
      ...(report.parentSpanId === undefined ? {} : { [semconv.PARENT_SPAN_ID]: report.parentSpanId }),
      ...(cause === undefined
        ? {}
        : { [semconv.CAUSE_TRACE_ID]: cause.traceId, [semconv.CAUSE_SPAN_ID]: cause.spanId }),
      ...(report.peer === undefined ? {} : { [semconv.TRANSPORT_PEER_SERVICE]: report.peer }),
      ...messageOf(report),
      ...(isCallee ? { [semconv.DECISION_OUTCOME]: 'permit' } : {}),
      [semconv.OUTCOME_STATUS]: 'ok',
      ...(token === undefined
        ? {}
        : {
            [semconv.AUTHORITY_PROFILE]: 'jwt-access-token',
            [semconv.AUTHORITY_DIGEST]: token.digest,
            [semconv.AUTHORITY_ISSUER]: ISSUER,
            ...(token.id === undefined ? {} : { [semconv.AUTHORITY_ID]: token.id }),
            ...(token.parentId === undefined ? {} : { [semconv.AUTHORITY_PARENT_ID]: token.parentId }),
            [semconv.VERIFICATION_STATUS]: isCallee ? 'verified' : 'unverified',
            ...(token.user === undefined ? {} : { [semconv.SUBJECT]: party('user', token.user, basis) }),
            [semconv.ACTORS]: token.actors.map((actor) => party('service', actor, basis)),
          }),
    }),
  };
}

/** The same ids that spans carry under their conventions; of an MCP session its digest only. */
function messageOf({ protocol, messageId, conversation }: Report): object {
  if (messageId === undefined)
    return conversation === undefined ? {} : { [semconv.TRANSPORT_CONVERSATION]: conversation };
  if (protocol !== 'mcp') return { [semconv.TRANSPORT_MESSAGE_ID]: messageId };
  const { session, request } = rpcOf(messageId);
  const digest = createHash('sha256').update(session).digest('hex');
  return { [semconv.TRANSPORT_REQUEST_ID]: request, [semconv.TRANSPORT_CONVERSATION]: `sha256:${digest}` };
}

function rpcOf(messageId: string) {
  const [session = 's', request = '1'] = messageId.split('/');
  return { session, request };
}

const KINDS = { caller: { http: 3, grpc: 3, mcp: 3, a2a: 3, messaging: 4 }, callee: { messaging: 5 } } as const;

/** A span as an OpenTelemetry SDK without anything of ours sends it. */
export function spanOf(report: Report): Plain {
  return {
    traceId: report.traceId,
    spanId: report.spanId,
    ...(report.parentSpanId === undefined ? {} : { parentSpanId: report.parentSpanId }),
    name: report.operation,
    kind: kindOf(report),
    flags: report.isSampled ? 1 : 0,
    startTimeUnixNano: String(report.time),
    endTimeUnixNano: String(report.time + durationNs),
    attributes: attributes(vocabularyOf(report)),
    links: report.links,
    status: {},
  };
}

function kindOf({ side, protocol }: Report): number {
  if (side === 'local') return 1;
  if (side === 'caller') return KINDS.caller[protocol];
  return protocol === 'messaging' ? KINDS.callee.messaging : 2;
}

function vocabularyOf(report: Report): object {
  const peer = report.side === 'caller' && report.peer !== undefined ? { 'service.peer.name': report.peer } : {};
  const agent = report.agent === undefined ? {} : { 'gen_ai.agent.name': report.agent };
  if (report.side === 'local') return { 'gen_ai.operation.name': 'invoke_agent', ...agent };
  const talk = report.conversation === undefined ? {} : { 'gen_ai.conversation.id': report.conversation };
  return { ...peer, ...talk, ...PROTOCOLS[report.protocol](report) };
}

const PROTOCOLS: Readonly<Record<Protocol, (report: Report) => object>> = {
  http: () => ({ 'http.request.method': 'POST', 'url.path': '/do', 'http.response.status_code': 200 }),
  grpc: () => ({ 'rpc.system.name': 'grpc', 'rpc.method': 'example.Do/Run', 'rpc.response.status_code': 'OK' }),
  messaging: ({ messageId }) => ({
    'messaging.system': 'kafka',
    'messaging.destination.name': 'jobs',
    ...(messageId === undefined ? {} : { 'messaging.message.id': messageId }),
  }),
  mcp: ({ messageId }) => ({
    'mcp.method.name': 'tools/call',
    'gen_ai.tool.name': 'refund',
    ...(messageId === undefined
      ? {}
      : { 'jsonrpc.request.id': rpcOf(messageId).request, 'mcp.session.id': rpcOf(messageId).session }),
  }),
  a2a: ({ messageId }) => ({
    'a2a.method.name': 'message/send',
    ...(messageId === undefined ? {} : { 'a2a.message.id': messageId }),
  }),
};

/** An exchange as the issuer reports it. */
export function exchangeOf(o: {
  readonly id: string;
  readonly time: bigint;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly tokenIn: Token;
  readonly tokenOut: Token;
}): Plain {
  return {
    timeUnixNano: String(o.time),
    eventName: semconv.EVENT_EXCHANGE,
    traceId: o.traceId,
    spanId: o.spanId,
    flags: 1,
    attributes: attributes({
      [semconv.OBSERVATION_ID]: o.id,
      ...(o.parentSpanId === undefined ? {} : { [semconv.PARENT_SPAN_ID]: o.parentSpanId }),
      [semconv.EXCHANGE_TOKEN_IN]: o.tokenIn.digest,
      [semconv.EXCHANGE_TOKEN_OUT]: o.tokenOut.digest,
      [semconv.EXCHANGE_ISSUER]: ISSUER,
      [semconv.DECISION_OUTCOME]: 'permit',
      ...(o.tokenOut.user === undefined ? {} : { [semconv.SUBJECT]: party('user', o.tokenOut.user, 'token') }),
      [semconv.ACTORS]: o.tokenOut.actors.map((actor) => party('service', actor, 'token')),
    }),
  };
}
