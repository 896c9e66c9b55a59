import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http, { type ClientRequest } from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { Anomalies } from './anomalies.ts';
import { type Call, startCall } from './call.ts';
import { harmless } from './harmless.ts';
import type { HeldToken } from './held-token.ts';
import type { Outcome } from './hop.ts';
import { type HttpTarget, httpTarget } from './http-target.ts';
import { codeOf, finishCall, outcomeOf } from './outbound.ts';
import { isQuiet } from './quiet.ts';
import type { Recorder } from './recorder.ts';
import type { Settings } from './settings.ts';

type Make = (...args: readonly unknown[]) => ClientRequest;

/**
 * Makes every request of `node:http` and `node:https` a recorded call, as recordUndiciCalls does for undici. Headers are
 * arranged when the first of them is about to be written, whenever the program set them. Gives what ends it. A request to a
 * Unix socket, a CONNECT, and what is made where tracing is suppressed, as by exporters, are left alone.
 */
export function recordHttpCalls(settings: Settings, recorder: Recorder, token: HeldToken): () => void {
  const underway = new WeakMap<object, Call>();
  const finish = (request: object, outcome: Outcome): void => {
    const call = underway.get(request);
    underway.delete(request);
    if (call !== undefined) finishCall(call, outcome, recorder);
  };
  const arrange = (request: ClientRequest, url: URL): void => {
    const anomalies = new Anomalies();
    const own = token.get(anomalies);
    const headers = headersOf(request);
    const before = new Headers(headers);
    const { method } = request;
    underway.set(request, startCall({ url, method, headers, options: {}, settings, anomalies, own }));
    for (const name of before.keys()) if (!headers.has(name)) request.removeHeader(name);
    for (const [name, value] of headers) if (before.get(name) !== value) request.setHeader(name, value);
    request.once('close', () => finish(request, { status: 'unknown', code: 'no_answer' }));
  };
  const restore = [http, https].map((module) => replace(module, arrange));
  const answered = (told: unknown) => {
    const { request, response } = told as { request: object; response: { statusCode?: number } };
    harmless('recording a call', () => finish(request, outcomeOf(response.statusCode ?? 0)));
  };
  const failed = (told: unknown) => {
    const { request, error } = told as { request: object; error: unknown };
    harmless('recording a call', () => finish(request, { status: 'error', code: codeOf(error) }));
  };
  subscribe('http.client.response.finish', answered);
  subscribe('http.client.request.error', failed);
  return () => {
    for (const each of restore) each();
    unsubscribe('http.client.response.finish', answered);
    unsubscribe('http.client.request.error', failed);
  };
}

type Arrange = (request: ClientRequest, url: URL) => void;

/** Puts functions of ours in the place of `request` and `get`, for importers of either kind; gives what takes them out. */
function replace(module: typeof http | typeof https, arrange: Arrange): () => void {
  const { request, get } = module;
  let isOn = true;
  const make: Make = (...args) => {
    const plain = request as Make;
    if (!isOn || isQuiet() || isTracingSuppressed(context.active())) return plain(...args);
    const target = harmless('reading a call', () => httpTarget(args, module === https ? 'https:' : 'http:'));
    return target?.url === undefined ? plain(...args) : open(plain, target, arrange);
  };
  const ours = {
    request: make as typeof module.request,
    get: ((...args: readonly unknown[]) => {
      const made = make(...args);
      made.end();
      return made;
    }) as typeof module.get,
  };
  Object.assign(module, ours);
  syncBuiltinESMExports();
  return () => {
    isOn = false;
    if (module.request === ours.request) module.request = request;
    if (module.get === ours.get) module.get = get;
    syncBuiltinESMExports();
  };
}

/** The request's own methods, which write its headers, arrange them first, in the context that it was made in. */
function open(plain: Make, { url, args, expect }: HttpTarget, arrange: Arrange): ClientRequest {
  const request = plain(...args);
  const within = AsyncLocalStorage.snapshot();
  let isArranged = url === undefined;
  const first = (): void => {
    if (isArranged || url === undefined) return;
    isArranged = true;
    within(() => harmless('arranging a call', () => arrange(request, url)));
  };
  for (const name of ['write', 'end', 'flushHeaders'] as const) {
    const own = request[name].bind(request) as (...given: readonly unknown[]) => never;
    request[name] = (...given: readonly unknown[]): never => {
      first();
      return own(...given);
    };
  }
  if (expect !== undefined) {
    request.setHeader('Expect', expect);
    request.flushHeaders();
  }
  return request;
}

function headersOf(request: ClientRequest): Headers {
  const found = new Headers();
  for (const [name, value] of Object.entries(request.getHeaders())) {
    for (const each of [value ?? []].flat()) found.append(name, String(each));
  }
  return found;
}
