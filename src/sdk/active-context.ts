import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Delegation } from './delegation.ts';
import type { SpanRef } from './trace-context.ts';

const DELEGATION = createContextKey('behalf delegation');
const INBOUND = createContextKey('behalf inbound hop');
const PROBE = createContextKey('behalf probe');
const probe = ROOT_CONTEXT.setValue(PROBE, true);

/** Carries the context where the host has no OpenTelemetry context manager. */
const own = new AsyncLocalStorage<Context>();

/** Asked each time: a NodeSDK may be started after us, and stopped before. */
const hasContextManager = (): boolean => context.with(probe, () => context.active().getValue(PROBE) === true);

/** The OpenTelemetry context of the running code, whether or not the host has a context manager. */
export function activeContext(): Context {
  const active = context.active();
  if (active !== ROOT_CONTEXT) return active;
  const mine = own.getStore();
  return mine === undefined || hasContextManager() ? active : mine;
}

/** Runs `run`, and what it starts, in `within`. */
export const runInContext = <T>(within: Context, run: () => T): T =>
  context.with(within, () => (context.active() === within ? run() : own.run(within, run)));

export const withDelegation = (base: Context, delegation: Delegation): Context => base.setValue(DELEGATION, delegation);
export const delegationIn = (within: Context): Delegation | undefined =>
  within.getValue(DELEGATION) as Delegation | undefined;

export const withInboundHop = (base: Context, hop: SpanRef): Context => base.setValue(INBOUND, hop);
export const inboundHopIn = (within: Context): SpanRef | undefined => within.getValue(INBOUND) as SpanRef | undefined;
