import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Accounting } from './account.ts';
import type { Alarm } from './alarm.ts';
import { CONTENT_TYPE, type ContentType, encodeError } from './answer.ts';
import { RequestError, RPC_CODE } from './request-error.ts';

/** Answers a request that was not taken, in its own encoding; JSON where that is not known. */
export function refuse(
  error: unknown,
  {
    request,
    reply,
    accounting,
    alarm,
  }: { request: FastifyRequest; reply: FastifyReply; accounting: Accounting; alarm: Alarm },
): FastifyReply {
  const answer = asRequestError(error);
  if (answer.status >= 500) alarm.raise(answer.status, error instanceof RequestError ? error.cause : error);
  accounting.add({ requests: 1 });
  accounting.refuse(answer.status);
  const type = typeGiven(request) ?? CONTENT_TYPE.json;
  const { retryAfterSeconds, headers } = answer.details;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  return reply
    .code(answer.status)
    .headers(headers ?? {})
    .type(type)
    .send(encodeError(type, answer));
}

/** Fastify's own refusals (a malformed content type, a body too large) keep their 4xx; what is left is a fault of ours. */
function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500 && error instanceof Error) {
    return new RequestError(status, RPC_CODE.invalidArgument, error.message, { cause: error });
  }
  return new RequestError(500, RPC_CODE.internal, 'internal error', { cause: error });
}

/** The paths of the two signals take POST only. */
export const notAllowed = (): never => {
  throw new RequestError(405, RPC_CODE.unimplemented, 'OTLP/HTTP requests are sent by POST', {
    headers: { allow: 'POST' },
  });
};

/** Metrics and profiles are declined as a receiver declines a signal it does not serve: not found, not to be retried. */
export function notServed({ url }: FastifyRequest): RequestError {
  const path = url.split('?')[0] ?? '';
  const signal = /^\/v1(?:development)?\/(metrics|profiles)$/.exec(path)?.[1];
  const says =
    signal === undefined
      ? 'no such path: expected /v1/traces or /v1/logs'
      : `${signal} are not kept here: this collector takes traces and logs; stop sending it ${signal}`;
  return new RequestError(404, signal === undefined ? RPC_CODE.notFound : RPC_CODE.unimplemented, says);
}

/** The encoding of a request, and so of its answer. Throws RequestError (415) for any but the two of OTLP/HTTP. */
export function contentTypeOf(request: FastifyRequest): ContentType {
  const type = typeGiven(request);
  if (type !== undefined) return type;
  throw new RequestError(
    415,
    RPC_CODE.invalidArgument,
    `content-type: expected ${CONTENT_TYPE.protobuf} or ${CONTENT_TYPE.json}`,
  );
}

function typeGiven(request: FastifyRequest): ContentType | undefined {
  const given = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  return Object.values(CONTENT_TYPE).find((type) => type === given);
}
