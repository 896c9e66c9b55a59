import type { ClientRequestArgs, OutgoingHttpHeaders } from 'node:http';
import { urlToHttpOptions } from 'node:url';

/** The arguments of `http.request`, as far as they say where the request goes and what it carries. */
export interface HttpTarget {
  /** Protocol, host and port of the connection; never what the Host header says. Undefined where it is no such place. */
  readonly url: URL | undefined;
  /** The arguments with the headers as an object, which a request made of them can still change, and without `Expect`. */
  readonly args: readonly unknown[];
  readonly expect: string | undefined;
}

type Arguments = readonly unknown[];

/** Reads what `http.request(url?, options?, callback?)` was given; Node says itself what is wrong with it. */
export function httpTarget(given: Arguments, defaultProtocol: 'http:' | 'https:'): HttpTarget {
  const [first, ...rest] = given;
  const place = typeof first === 'string' ? URL.parse(first) : first instanceof URL ? first : undefined;
  if (place === null) return { url: undefined, args: given, expect: undefined };
  const [second, ...more] = place === undefined ? given : rest;
  const isOptions = typeof second === 'object' && second !== null;
  const own: ClientRequestArgs = isOptions ? second : {};
  const options: ClientRequestArgs = { ...(place && urlToHttpOptions(place)), ...own };
  const { expect, ...headers } = splitExpect(headersOf(own.headers));
  const callback = isOptions ? more : [second, ...more];
  const changed = { ...own, ...(own.headers && { headers }) };
  const args = place === undefined ? [changed, ...callback] : [place, changed, ...callback];
  return { url: urlOf(options, defaultProtocol), args, expect };
}

function urlOf(options: ClientRequestArgs, defaultProtocol: string): URL | undefined {
  const { agent, socketPath } = options;
  if (options.method?.toUpperCase() === 'CONNECT' || socketPath) return undefined;
  const ofAgent = (typeof agent === 'object' ? agent : undefined) as { protocol?: string; defaultPort?: number };
  const protocol = options.protocol ?? ofAgent?.protocol ?? defaultProtocol;
  const host = (options.hostname || options.host || 'localhost').replace(/^\[(.*)\]$/, '$1');
  const port = options.port || options.defaultPort || ofAgent?.defaultPort || '';
  return URL.parse(`${protocol}//${host.includes(':') ? `[${host}]` : host}:${port}/`) ?? undefined;
}

const isList = (headers: NonNullable<ClientRequestArgs['headers']>): headers is readonly string[] =>
  Array.isArray(headers);

/** As an object; several of one name as a list. */
function headersOf(headers: ClientRequestArgs['headers']): OutgoingHttpHeaders {
  if (headers === undefined || !isList(headers)) return headers ?? {};
  const found = new Map<string, [name: string, values: string[]]>();
  const list: readonly unknown[] = headers.flat();
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = String(list[index]);
    const kept = found.get(name.toLowerCase()) ?? [name, []];
    found.set(name.toLowerCase(), [kept[0], [...kept[1], String(list[index + 1])]]);
  }
  return Object.fromEntries(
    [...found.values()].map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
  );
}

/** With `Expect` among its options Node writes a request's headers at once: they could not be changed. */
function splitExpect(headers: OutgoingHttpHeaders): OutgoingHttpHeaders & { readonly expect: string | undefined } {
  const name = Object.keys(headers).find((each) => each.toLowerCase() === 'expect');
  if (name === undefined) return { ...headers, expect: undefined };
  const { [name]: value, ...others } = headers;
  return { ...others, expect: String(value) };
}
