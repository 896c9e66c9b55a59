import type { Entry, HopEntry } from '#observation';
import { delegationKey } from './derivation.ts';
import { conversationOf, messagesOf } from './message.ts';

/** Something two entries may have in common that makes them belong together. */
export interface JoinKey {
  readonly kind: 'trace' | 'token' | 'transaction' | 'delegation' | 'message' | 'conversation';
  readonly value: string;
}

/**
 * Everything an entry could be joined by, its own trace first. Entries that no path of shared keys connects never affect
 * each other's chains: stitching a connected set alone gives what stitching all gives. Proven by test/chains/join-key.
 */
export function joinKeysOf(entry: Entry): readonly JoinKey[] {
  if (entry.kind === 'revocation') return 'token' in entry.target ? [{ kind: 'token', value: entry.target.token }] : [];
  const traces = [
    entry.trace?.traceId,
    entry.cause?.traceId,
    ...(entry.trace?.links ?? []).map((link) => link.traceId),
  ].map((value) => ({ kind: 'trace' as const, value }));
  const keys = [...traces, ...(entry.kind === 'hop' ? hopKeys(entry) : exchangeKeys(entry))];
  const known = new Map(
    keys.flatMap(({ kind, value }) => (value === undefined ? [] : [[`${kind} ${value}`, { kind, value }] as const])),
  );
  return [...known.values()];
}

type MaybeKey = Omit<JoinKey, 'value'> & { readonly value: string | undefined };

const hopKeys = (entry: HopEntry): readonly MaybeKey[] => [
  ...authorityKeys(entry.authority),
  ...messagesOf(entry).map((value) => ({ kind: 'message' as const, value })),
  { kind: 'conversation', value: conversationOf(entry) },
];

function authorityKeys(authority: HopEntry['authority']): readonly MaybeKey[] {
  if (authority === undefined) return [];
  const { digest, transaction, issuer = '', verification, id, parentId } = authority;
  const ofToken = { kind: 'token' as const, value: digest };
  if (verification.status !== 'verified') return [ofToken];
  const delegation = (value: string | undefined): MaybeKey => ({
    kind: 'delegation',
    value: digest === undefined || value === undefined ? undefined : delegationKey(issuer, value),
  });
  const ofTransaction = transaction === undefined ? undefined : `${issuer} ${transaction}`;
  return [ofToken, { kind: 'transaction', value: ofTransaction }, delegation(id), delegation(parentId)];
}

const exchangeKeys = ({ tokenIn, tokenOut }: Extract<Entry, { kind: 'exchange' }>): readonly MaybeKey[] => [
  { kind: 'token', value: tokenIn },
  { kind: 'token', value: tokenOut },
];
