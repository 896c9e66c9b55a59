import type { NamedParty } from './exchange.ts';
import { quietly } from './quiet.ts';

/** What a policy is asked of a request whose token was verified and holds the route's scopes. Never the token. */
export interface PolicyQuestion {
  readonly subject?: NamedParty;
  /** Oldest first. */
  readonly actors: readonly NamedParty[];
  readonly peer?: NamedParty;
  readonly scopes: readonly string[];
  readonly operation: string;
  readonly resource?: string;
  readonly purpose?: string;
}

export interface PolicyAnswer {
  readonly outcome: 'permit' | 'deny';
  /** Which policy decided, 1 to 256 characters. */
  readonly policy?: string;
  /** For the observation, 1 to 512 characters; the caller is not told. */
  readonly reason?: string;
}

/** What throws, rejects or does not answer within a second denies. */
export type Policy = (question: PolicyQuestion) => PolicyAnswer | Promise<PolicyAnswer>;

const LIMIT_MS = 1_000;
const plainFetch = globalThis.fetch;

/** The answer, or undefined when there is none: then the call stays closed. */
export async function askPolicy(policy: Policy, question: PolicyQuestion): Promise<PolicyAnswer | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), LIMIT_MS);
  });
  try {
    const answer = await Promise.race([late, policy(question)]);
    return answer?.outcome === 'permit' || answer?.outcome === 'deny' ? answer : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks Open Policy Agent: `opaPolicy({ url: 'http://127.0.0.1:8181/v1/data/payments/allow' })` (OPA's Data API, `input` is the
 * question). The document is a boolean, or `{ allow, reason }`; anything else is no answer, which denies.
 */
export function opaPolicy({ url, headers = {} }: { url: string; headers?: Readonly<Record<string, string>> }): Policy {
  const place = URL.parse(url);
  if (place === null || !/^https?:$/.test(place.protocol))
    throw new TypeError('opaPolicy: url must be an http or https URL');
  const policy = `opa:${place.pathname.replace('/v1/data/', '').slice(0, 200)}`;
  return async (input) => {
    const response = await quietly(() =>
      plainFetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ input }),
        redirect: 'error',
        signal: AbortSignal.timeout(LIMIT_MS),
      }),
    );
    if (!response.ok) throw new Error(`the policy agent answered ${response.status}`);
    const { result } = (await response.json()) as { readonly result?: unknown };
    const { allow, reason } = typeof result === 'object' && result !== null ? asDocument(result) : { allow: result };
    if (typeof allow !== 'boolean') throw new Error('the policy’s document is neither a boolean nor { allow, reason }');
    return {
      outcome: allow ? 'permit' : 'deny',
      policy,
      ...(typeof reason === 'string' && reason !== '' && { reason }),
    };
  };
}

const asDocument = (result: object): { allow?: unknown; reason?: unknown } => ({ ...result });
