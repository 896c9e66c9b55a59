import { given, type Reading, type Vocabulary } from './reading.ts';

const KEYS = {
  method: ['http.request.method', 'http.method'],
  route: ['http.route'],
  path: ['url.path', 'http.target', 'http.path'],
  url: ['url.full', 'http.url'],
  status: ['http.response.status_code', 'http.status_code'],
} as const;

/** HTTP, semantic conventions 1.44 and the names before 1.20. Queries and headers are never read. */
export const http: Vocabulary = {
  name: 'http',
  keys: Object.values(KEYS).flat(),
  read: (span) => {
    const method = span.text(...KEYS.method);
    const url = parseUrl(span.text(...KEYS.url));
    const path = span.text(...KEYS.path) ?? url?.pathname;
    const status = span.text(...KEYS.status);
    if (method === undefined && path === undefined && status === undefined) return undefined;
    const target = span.text(...KEYS.route) ?? path;
    return given<Reading>({
      protocol: 'http',
      serverAddress: url?.host,
      operation: method === undefined ? undefined : target === undefined ? method : `${method} ${target}`,
      resource: path,
      code: status,
      failed: status === undefined ? undefined : Number(status) >= 400,
    });
  },
};

const parseUrl = (text: string | undefined): URL | undefined =>
  text === undefined ? undefined : (URL.parse(text) ?? undefined);
