/** google.rpc.Code, as far as the collector answers with it. */
export const RPC_CODE = {
  invalidArgument: 3,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

interface Details {
  /** The field of the request that is wrong: becomes a google.rpc.BadRequest detail. */
  readonly field?: string;
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * A request the collector does not take. `status` is what OTLP/HTTP answers with; only 429 and 503 ask the sender to
 * try again (OTLP specification, "OTLP/HTTP Response"). The message is for the sender and repeats no attribute value.
 */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly rpcCode: number;
  readonly details: Details;

  constructor(status: number, rpcCode: number, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.status = status;
    this.rpcCode = rpcCode;
    this.details = details;
  }
}

/** 400: the request can never be taken as it is. */
export const badRequest = (message: string, field?: string, cause?: unknown): RequestError =>
  new RequestError(400, RPC_CODE.invalidArgument, message, {
    ...(field === undefined ? {} : { field }),
    ...(cause === undefined ? {} : { cause }),
  });

/** 413: over the limit, on the wire or unfolded. */
export const tooLarge = (message: string): RequestError =>
  new RequestError(413, RPC_CODE.resourceExhausted, message, { headers: { connection: 'close' } });
