import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Anomalies } from './anomalies.ts';
import { type Call, startCall } from './call.ts';
import { harmless } from './harmless.ts';
import type { HeldToken } from './held-token.ts';
import { codeOf, finishCall, outcomeOf } from './outbound.ts';
import { isQuiet } from './quiet.ts';
import type { Recorder } from './recorder.ts';
import type { Settings } from './settings.ts';

/** What undici tells of a request on its diagnostics channels, as far as it is used here. */
interface UndiciRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  /** Names and values by turns. */
  readonly headers: (string | readonly string[])[];
}

/**
 * Makes every `fetch` and undici request of the process a recorded call, whatever the sampler decided: trace headers are
 * written, identity goes to configured origins only, as with `behalf.fetch`. Gives what ends it. undici does not wait: of a
 * token that a function gives the last known is attached.
 */
export function recordUndiciCalls(settings: Settings, recorder: Recorder, token: HeldToken): () => void {
  const underway = new WeakMap<object, Call>();
  const end = (request: object, finish: (call: Call) => void): void => {
    const call = underway.get(request);
    underway.delete(request);
    if (call !== undefined) finish(call);
  };
  const listeners: Readonly<Record<string, (told: Told) => void>> = {
    'undici:request:create': ({ request }) => {
      const url = isUndiciRequest(request) && !isQuiet() ? URL.parse(request.path, request.origin) : null;
      if (!isUndiciRequest(request) || url === null) return;
      const headers = headersOf(request);
      const method = request.method.toUpperCase();
      const anomalies = new Anomalies();
      const own = token.get(anomalies);
      underway.set(request, startCall({ url, method, headers, options: {}, settings, anomalies, own }));
      request.headers.splice(0, request.headers.length, ...[...headers].flat());
    },
    'undici:request:headers': ({ request, response }) =>
      end(request, (call) => finishCall(call, outcomeOf(response?.statusCode ?? 0), recorder)),
    'undici:request:error': ({ request, error }) =>
      end(request, (call) => finishCall(call, { status: 'error', code: codeOf(error) }, recorder)),
  };
  const subscribed = Object.entries(listeners).map(([name, listener]) => {
    const safe: ChannelListener = (told) => void harmless('recording a call', () => listener(told as Told));
    subscribe(name, safe);
    return [name, safe] as const;
  });
  return () => {
    for (const [name, listener] of subscribed) unsubscribe(name, listener);
  };
}

interface Told {
  readonly request: object;
  readonly response?: { readonly statusCode: number };
  readonly error?: unknown;
}

/** Older versions of undici keep headers as text, which is left alone. */
const isUndiciRequest = (request: object): request is UndiciRequest =>
  'headers' in request &&
  Array.isArray(request.headers) &&
  'origin' in request &&
  'path' in request &&
  'method' in request;

function headersOf({ headers }: UndiciRequest): Headers {
  const found = new Headers();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    for (const value of [headers[index + 1] ?? ''].flat()) found.append(String(headers[index]), value);
  }
  return found;
}
