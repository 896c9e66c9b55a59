import type { Claims } from './token-claims.ts';

/** How observations name a Txn-Token (draft-ietf-oauth-transaction-tokens). */
export const TXN_PROFILE = 'txn-token';

/**
 * The claims of a Txn-Token as those of any token are read. `sub` is unique in the trust domain, not under `iss`; `req_wl`
 * names the workloads that asked, where there is no `act`.
 */
export const txnView =
  (trustDomain: string) =>
  (claims: Claims): Claims => ({ ...claims, iss: trustDomain, act: claims.act ?? workloadsOf(claims.req_wl) });

/** One workload, or several as a list, oldest first; nested as `act` is. */
function workloadsOf(workloads: unknown): unknown {
  if (workloads === undefined) return undefined;
  let act: object | undefined;
  for (const sub of [workloads].flat()) act = { sub, sub_profile: 'service', ...(act && { act }) };
  return act;
}
