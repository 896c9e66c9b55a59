import type { InboundRequest } from './inbound-request.ts';
import type { RefusalCode } from './refusal.ts';

/** What came in the Authorization header. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string; readonly scheme: 'bearer' | 'dpop' }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly token?: string };

/** Finds the token (RFC 6750 section 2.1, RFC 9449 section 7.1). One in the URL (section 2.3) is refused, also beside one in the header. */
export function findCredential(request: InboundRequest): Credential {
  const values = request.all('authorization');
  const inQuery = tokenInQuery(request.target);
  const [value] = values;
  if (values.length > 1) return { kind: 'refused', code: 'token_repeated' };
  if (inQuery !== undefined) return { kind: 'refused', code: 'token_in_query', token: inQuery };
  if (value === undefined) return { kind: 'none' };
  const [, scheme, token] = /^(Bearer|DPoP) +(\S+) *$/i.exec(value) ?? [];
  if (token !== undefined)
    return { kind: 'token', token, scheme: scheme?.toLowerCase() === 'dpop' ? 'dpop' : 'bearer' };
  return { kind: 'refused', code: /^(Bearer|DPoP)\b/i.test(value) ? 'token_malformed' : 'scheme_unsupported' };
}

function tokenInQuery(target: string): string | undefined {
  const from = target.indexOf('?');
  return from < 0 || !target.includes('access_token', from)
    ? undefined
    : (new URLSearchParams(target.slice(from)).get('access_token') ?? undefined);
}
