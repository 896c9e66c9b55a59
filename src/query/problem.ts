/** What can go wrong, as RFC 9457 problem types: code, HTTP status and title. The one table; a test pins it. */
export const PROBLEMS = {
  invalid_parameter: { status: 400, title: 'A parameter is not what it has to be' },
  unknown_parameter: { status: 400, title: 'A parameter is not known here' },
  not_found: { status: 404, title: 'There is nothing at this address' },
  chain_not_found: { status: 404, title: 'No chain has this id' },
  entry_not_found: { status: 404, title: 'The log has no entry of this index' },
  not_published: { status: 404, title: 'Not yet under a signed checkpoint' },
  several_chains: { status: 409, title: 'Several chains have this id' },
  too_large: { status: 413, title: 'The request is too large' },
  internal: { status: 500, title: 'The server failed' },
  damaged: { status: 500, title: 'The log is damaged here' },
  unavailable: { status: 503, title: 'The database does not answer' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** A request that gets no answer, and why. `message` becomes the problem's detail: no secrets, no persons. */
export class QueryProblem extends Error {
  override readonly name = 'QueryProblem';
  readonly code: ProblemCode;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, message: string, { retryAfterSeconds }: { readonly retryAfterSeconds?: number } = {}) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** RFC 9457 section 3.1, with the code as an extension member. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
}

export const problemOf = ({ code, message }: QueryProblem): Problem => ({
  type: 'about:blank',
  title: PROBLEMS[code].title,
  status: PROBLEMS[code].status,
  code,
  detail: message,
});
