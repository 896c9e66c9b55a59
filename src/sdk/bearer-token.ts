import type { RefusalCode } from './refusal.ts';

/** The credential of a request as it came. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly token?: string };

/**
 * Finds the bearer token (RFC 6750 section 2.1). Node keeps the first of several Authorization headers, so the raw list
 * is asked. A token in the URL (section 2.3) is refused, also when it came in the header too.
 */
export function findCredential(rawHeaders: readonly string[], url: string): Credential {
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
  const inQuery = tokenInQuery(url);
  const [value] = values;
  if (values.length > 1) return { kind: 'refused', code: 'token_repeated' };
  if (inQuery !== undefined) return { kind: 'refused', code: 'token_in_query', token: inQuery };
  if (value === undefined) return { kind: 'none' };
  const [, token] = /^Bearer +(\S+) *$/i.exec(value) ?? [];
  if (token !== undefined) return { kind: 'token', token };
  return { kind: 'refused', code: /^Bearer\b/i.test(value) ? 'token_malformed' : 'scheme_unsupported' };
}

function tokenInQuery(url: string): string | undefined {
  const from = url.indexOf('?');
  return from < 0 ? undefined : (new URLSearchParams(url.slice(from)).get('access_token') ?? undefined);
}
