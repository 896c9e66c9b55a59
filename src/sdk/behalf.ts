import { activeContext, inboundHopIn } from './active-context.ts';
import { startTimer } from './clock.ts';
import { currentDelegation } from './current-delegation.ts';
import { defined } from './defined.ts';
import { type Delegate, delegate } from './delegate.ts';
import type { Delegation } from './delegation.ts';
import type { DeliveryReport } from './delivery.ts';
import { describeExchange, type Exchange } from './exchange.ts';
import { type FetchGuard, fetchGuard } from './fetch-guard.ts';
import { guardPlugin } from './guard.ts';
import type { GuardOptions } from './guard-rules.ts';
import { harmless } from './harmless.ts';
import { HeldToken } from './held-token.ts';
import { activeServerSpan, localSpan } from './hop-span.ts';
import { recordHttpCalls } from './http-calls.ts';
import { type HttpGuard, httpGuard } from './http-guard.ts';
import { type BehalfFetch, behalfFetch } from './outbound.ts';
import { Recorder } from './recorder.ts';
import { type BehalfOptions, parseSettings, type Settings } from './settings.ts';
import { tokenExchange } from './token-exchange.ts';
import { parseTraceparent } from './trace-context.ts';
import { recordUndiciCalls } from './undici-calls.ts';

/** Behalf in one process: what startBehalf gives. */
export interface Behalf {
  /** The Fastify plugin that verifies tokens and records the callee's observations. */
  readonly guard: ReturnType<typeof guardPlugin>;
  /** The guard for Node's http server and for Express. Throws TypeError on wrong options. */
  httpGuard(options: GuardOptions): HttpGuard;
  /** The guard for handlers of the Fetch standard, such as Hono's. Throws TypeError on wrong options. */
  fetchGuard(options: GuardOptions): FetchGuard;
  /** `fetch` that records the caller's observations and carries tokens to configured origins. */
  readonly fetch: BehalfFetch;
  currentDelegation(): Delegation | undefined;
  /** Runs a function under a narrower token (RFC 8693). */
  readonly delegate: Delegate;
  /** Records a token exchange (RFC 8693). Tokens are digested at once. */
  recordExchange(exchange: Exchange): void;
  /** Sends what waits, for at most `timeoutMs` (5000 by default). Never rejects. */
  flush(o?: { timeoutMs?: number }): Promise<DeliveryReport>;
  /** Flushes, then stops. What the collector has not taken by then is lost, and counted. Never rejects. */
  shutdown(o?: { timeoutMs?: number }): Promise<DeliveryReport>;
}

/**
 * Starts Behalf. Needs no OpenTelemetry SDK, and works with one that is started before or after. Throws TypeError when an
 * option is wrong, naming it; nothing later throws into the host.
 */
export function startBehalf(options: BehalfOptions): Behalf {
  const settings = parseSettings(options);
  const recorder = new Recorder(settings);
  const stopRecording = settings.automatic ? recordCalls(settings, recorder) : () => {};
  const fetch = behalfFetch(settings, recorder);
  const record = (exchange: Exchange) =>
    void harmless('recording an exchange', () => recordExchange(exchange, recorder));
  const exchange =
    settings.exchange &&
    tokenExchange(settings.exchange, (url, init) => fetch(url, { ...init, behalf: EXCHANGE_CALL }));
  return {
    guard: guardPlugin(settings, recorder),
    httpGuard: (options) => httpGuard(options, settings, recorder),
    fetchGuard: (options) => fetchGuard(options, settings, recorder),
    fetch,
    currentDelegation,
    delegate: delegate({ settings, exchange, record }),
    recordExchange: record,
    flush: ({ timeoutMs = 5_000 } = {}) => recorder.flush(timeoutMs),
    shutdown: ({ timeoutMs = 5_000 } = {}) => {
      stopRecording();
      return recorder.close(timeoutMs);
    },
  };
}

/** Every call of the process, whichever of Node's two clients makes it. */
function recordCalls(settings: Settings, recorder: Recorder): () => void {
  const token = new HeldToken(settings.token);
  const stops = [recordUndiciCalls, recordHttpCalls].map((start) => start(settings, recorder, token));
  return () => stops.forEach((stop) => void stop());
}

/** How the call to the authorization server is told. */
const EXCHANGE_CALL = { operation: 'token exchange' } as const;

function recordExchange(exchange: Exchange, recorder: Recorder): void {
  const timer = startTimer();
  const active = activeContext();
  const span = localSpan(active, 'token exchange', parseTraceparent(exchange.traceparent));
  recorder.record({
    ...describeExchange(exchange),
    ...defined({ parentSpanId: span.parentSpanId, cause: inboundHopIn(active) ?? activeServerSpan(active) }),
    kind: 'exchange',
    span: span.ids,
    startMs: timer.startMs,
    endMs: timer.endMs(),
  });
  span.end(false);
}
