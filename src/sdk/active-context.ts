import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Delegation } from './delegation.ts';
import type { SpanRef } from './trace-context.ts';

const ACTING = createContextKey('behalf acting');
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

/** One value for both: each value that is set copies the context. */
interface Acting {
  readonly delegation?: Delegation | undefined;
  readonly inbound?: SpanRef | undefined;
}

const NOTHING: Acting = {};
const actingIn = (within: Context): Acting => (within.getValue(ACTING) as Acting | undefined) ?? NOTHING;

export const withDelegation = (base: Context, delegation: Delegation): Context =>
  base.setValue(ACTING, { inbound: actingIn(base).inbound, delegation });
export const delegationIn = (within: Context): Delegation | undefined => actingIn(within).delegation;

/** Without a delegation of its own the hop has the one of `base`. */
export const withInboundHop = (base: Context, inbound: SpanRef, delegation?: Delegation): Context =>
  base.setValue(ACTING, { inbound, delegation: delegation ?? actingIn(base).delegation });
export const inboundHopIn = (within: Context): SpanRef | undefined => actingIn(within).inbound;
