import { runInContext } from './active-context.ts';
import { type Call, type CallInput, type CallOptions, describeCall, prepareCall } from './call.ts';
import { harmless } from './harmless.ts';
import type { Outcome } from './hop.ts';
import { quietly } from './quiet.ts';
import type { Recorder } from './recorder.ts';
import * as semconv from './semconv.ts';
import type { Settings } from './settings.ts';

export type BehalfFetch = (input: CallInput, init?: RequestInit & { behalf?: CallOptions }) => Promise<Response>;

/**
 * `fetch` that records the caller's observation of every call, sampled or not, and lets tokens go to configured origins
 * only. Answers and errors are those of the host's own `fetch`.
 */
export const behalfFetch =
  (settings: Settings, recorder: Recorder): BehalfFetch =>
  async (input, { behalf: options = {}, ...init } = {}) => {
    const call = await prepareCall({ input, init, options, settings });
    if (call === undefined) return globalThis.fetch(input, init); // no URL: fetch says itself what is wrong
    const finish = (outcome: Outcome) => finishCall(call, outcome, recorder);
    // Quiet, or another instrumentation of fetch would write a traceparent beside ours.
    const response = await runInContext(call.span.context, () =>
      quietly(() => globalThis.fetch(input, { ...init, headers: call.headers })),
    ).catch((error: unknown) => {
      finish({ status: 'error', code: codeOf(error) });
      throw error;
    });
    finish(outcomeOf(response.status));
    return response;
  };

export const outcomeOf = (status: number): Outcome => ({ status: status < 400 ? 'ok' : 'error', code: String(status) });

/** Records a call that has ended, and ends its span. */
export const finishCall = (call: Call, outcome: Outcome, recorder: Recorder): void =>
  void harmless('recording a call', () => {
    const account = describeCall(call, outcome);
    recorder.record(account);
    call.span.annotate({
      'http.request.method': call.method,
      'server.address': call.url.hostname,
      [semconv.AUTHORITY_DIGEST]: account.authority.digest,
      [semconv.OUTCOME_CODE]: outcome.code,
    });
    call.span.end(outcome.status === 'error');
  });

/** The socket's code (ECONNREFUSED) or the error's name; never its message. */
export function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'error';
  return ('code' in cause && typeof cause.code === 'string' ? cause.code : cause.name).slice(0, 64);
}
