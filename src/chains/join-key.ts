import type { Entry } from '#observation';

/** Something two entries may have in common that makes them belong together. */
export interface JoinKey {
  readonly kind: 'trace' | 'token' | 'transaction';
  readonly value: string;
}

/**
 * Everything an entry could be joined by, its own trace first. Entries that no path of shared keys connects never affect
 * each other's chains: stitching a connected set alone gives what stitching all gives. Proven by test/chains/join-key.
 */
export function joinKeysOf(entry: Entry): readonly JoinKey[] {
  if (entry.kind === 'revocation')
    return 'token' in entry.target ? [{ kind: 'token', value: entry.target.token }] : [];
  const traces = [
    entry.trace?.traceId,
    entry.cause?.traceId,
    ...(entry.trace?.links ?? []).map((link) => link.traceId),
  ].map((value) => ({ kind: 'trace' as const, value }));
  const keys = [...traces, ...(entry.kind === 'hop' ? authorityKeys(entry.authority) : exchangeKeys(entry))];
  const known = new Map(
    keys.flatMap(({ kind, value }) => (value === undefined ? [] : [[`${kind} ${value}`, { kind, value }] as const])),
  );
  return [...known.values()];
}

type MaybeKey = Omit<JoinKey, 'value'> & { readonly value: string | undefined };

function authorityKeys(authority: Extract<Entry, { kind: 'hop' }>['authority']): readonly MaybeKey[] {
  if (authority === undefined) return [];
  const { digest, transaction, issuer = '', verification } = authority;
  const isJoining = transaction !== undefined && verification.status === 'verified';
  return [
    { kind: 'token', value: digest },
    { kind: 'transaction', value: isJoining ? `${issuer} ${transaction}` : undefined },
  ];
}

const exchangeKeys = ({ tokenIn, tokenOut }: Extract<Entry, { kind: 'exchange' }>): readonly MaybeKey[] => [
  { kind: 'token', value: tokenIn },
  { kind: 'token', value: tokenOut },
];
