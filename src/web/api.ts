import type { BlastRadiusAnswer, ChainAnswer, ChainsAnswer, LogAnswer } from '#query';
import { type ChainFilters, filterQuery, type ReachQuestion } from './route.ts';

/** Why something cannot be shown, and what the reader can do about it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly advice: string;

  constructor(given: { says: string; advice: string; status?: number; cause?: unknown }) {
    super(given.says, { cause: given.cause });
    this.status = given.status ?? 0;
    this.advice = given.advice;
  }
}

/** `GET /api/v1/chains`. Throws Problem. */
export function fetchChains(filters: ChainFilters, cursor: string | null, signal: AbortSignal): Promise<ChainsAnswer> {
  const words = new URLSearchParams(filterQuery(filters));
  if (cursor !== null) words.set('cursor', cursor);
  return fetchJson<ChainsAnswer>(`api/v1/chains?${words}`, ['chains', 'log'], signal);
}

/** `GET /api/v1/chains/{id}`. Throws Problem, with status 404 when there is no such chain. */
export const fetchChain = (id: string, signal: AbortSignal): Promise<ChainAnswer> =>
  fetchJson<ChainAnswer>(`api/v1/chains/${encodeURIComponent(id)}`, ['chain', 'log'], signal);

/** `GET /api/v1/parties/{key}/blast-radius`. Throws Problem. */
export function fetchReach({ of, key, isBackward }: ReachQuestion, signal: AbortSignal): Promise<BlastRadiusAnswer> {
  const words = new URLSearchParams({ kind: of, direction: isBackward ? 'backward' : 'forward' });
  const path = `api/v1/parties/${encodeURIComponent(key)}/blast-radius?${words}`;
  return fetchJson<BlastRadiusAnswer>(path, ['actual', 'completeness', 'log'], signal);
}

/** `GET /api/v1/log`: the log's origin and the verifier key as the server names it. Throws Problem. */
export const fetchLog = (signal: AbortSignal): Promise<LogAnswer> =>
  fetchJson<LogAnswer>('api/v1/log', ['origin', 'verifierKey'], signal);

/** `GET /api/v1/entries/{index}`: the exact bytes. Throws Problem. */
export const fetchEntry = async (index: string, signal: AbortSignal): Promise<Uint8Array> =>
  new Uint8Array(await (await request(`api/v1/entries/${index}`, signal)).arrayBuffer());

/** `GET /api/v1/entries/{index}/proof`: a C2SP tlog-proof. Throws Problem. */
export const fetchProof = async (index: string, signal: AbortSignal): Promise<string> =>
  (await request(`api/v1/entries/${index}/proof`, signal)).text();

/** The server is ours and its answers are typed; this only tells our API from something else that answers. */
async function fetchJson<T extends object>(
  path: string,
  fields: readonly (keyof T)[],
  signal: AbortSignal,
): Promise<T> {
  const response = await request(path, signal);
  const answer = (await response.json().catch(() => undefined)) as T | undefined;
  if (typeof answer === 'object' && answer !== null && fields.every((field) => field in answer)) return answer;
  throw new Problem({
    says: `/${path} answered something that is not Behalf's API`,
    advice: 'Open this page on the address that behalf serve prints.',
    status: response.status,
  });
}

async function request(path: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, { signal, cache: 'no-store' }).catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    throw new Problem({
      says: 'The server does not answer.',
      advice: 'See that behalf serve still runs, then try again.',
      cause,
    });
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** RFC 9457 problem details, as far as the answer has them. */
async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => undefined);
  const text = (name: 'title' | 'detail'): string | undefined =>
    typeof body === 'object' && body !== null && name in body
      ? String((body as Record<string, unknown>)[name])
      : undefined;
  const says = text('detail') ?? text('title') ?? `The server answered ${response.status} ${response.statusText}.`;
  return new Problem({ says, advice: adviceFor(response.status), status: response.status });
}

function adviceFor(status: number): string {
  if (status === 404) return 'Check the id, or look for it in the list of chains.';
  if (status === 400) return 'Correct or clear the filters, then try again.';
  if (status === 409) return 'Open the one you mean from the list of chains.';
  if (status === 503) return 'The server is busy or its database is away. Try again in a moment.';
  return 'Try again. If it stays, look at the output of behalf serve.';
}
