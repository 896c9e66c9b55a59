/**
 * What a service installs so that every call it takes and makes is known to be on someone's behalf: guard, delegation
 * context, fetch and recorder. It never throws into, blocks or grows inside its host, and no token leaves the process but
 * to origins the host configured. Proven by test/sdk.
 */

export type { Anomaly } from './anomalies.ts';
export type { Authority, Verification } from './authority.ts';
export { type Behalf, startBehalf } from './behalf.ts';
export type { CallOptions } from './call.ts';
export type { Cedar, CedarEntity, CedarOptions } from './cedar-policy.ts';
export { cedarPolicy } from './cedar-policy.ts';
export { currentDelegation } from './current-delegation.ts';
export type { Delegate, DelegateErrorCode, DelegateOptions } from './delegate.ts';
export { DelegateError } from './delegate.ts';
export type { Delegation } from './delegation.ts';
export type { DeliveryReport } from './delivery.ts';
export type { DpopOptions } from './dpop.ts';
export type { EdgeOptions } from './edge-assertion.ts';
export { behalfFromEnvironment } from './environment.ts';
export type { Exchange, NamedParty } from './exchange.ts';
export type { ExchangeOptions } from './exchange-settings.ts';
export type { FetchGuard, FetchMiddleware, FetchRules } from './fetch-guard.ts';
export type { GuardMode, GuardOptions } from './guard-rules.ts';
export type { Decision } from './hop.ts';
export type { HttpGuard, HttpMiddleware, HttpRules } from './http-guard.ts';
export type { BehalfFetch } from './outbound.ts';
export type { AssumedTypes, Basis, Party, PartyType } from './party.ts';
export type { PeerOptions } from './peer.ts';
export type { Policy, PolicyAnswer, PolicyQuestion } from './policy.ts';
export { opaPolicy } from './policy.ts';
export type { RefusalCode } from './refusal.ts';
export type { RouteRules } from './route-rules.ts';
export type { BehalfOptions, SpoolOptions, TokenSource } from './settings.ts';
export { tokenDigest } from './token-digest.ts';
export type { SpanRef } from './trace-context.ts';
export type { WorkloadOptions } from './workload-identity.ts';
