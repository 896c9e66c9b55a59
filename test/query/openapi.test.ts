import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Compile } from 'typebox/compile';
import { delegatedCall, service, traceOf, user } from '../chains/entries.ts';
import { observationsOf, testApi } from './api.ts';

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, { get?: Operation }>;
  readonly components: { readonly schemas: Record<string, object> };
}
interface Operation {
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
}

test('the document names every route that answers, with its parameters and problems', async (t) => {
  const { get } = await testApi(t);
  const document = await get<Document>('/openapi.json');
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(Object.keys(document.paths).toSorted(), [
    '/api/v1/chains',
    '/api/v1/chains/{id}',
    '/api/v1/chains/{id}/evidence',
    '/api/v1/entries/{index}',
    '/api/v1/entries/{index}/evidence',
    '/api/v1/entries/{index}/proof',
    '/api/v1/findings',
    '/api/v1/hops',
    '/api/v1/hops/export',
    '/api/v1/log',
    '/api/v1/log/hand-overs',
    '/api/v1/parties',
    '/api/v1/parties/{key}/blast-radius',
    '/healthz',
    '/log/checkpoint',
    '/log/tile/{*}',
    '/readyz',
  ]);
  const list = document.paths['/api/v1/chains']?.get;
  assert.deepEqual(
    list?.parameters?.map(({ name }) => name),
    ['subject', 'actor', 'service', 'resource', 'scope', 'verdict', 'finding', 'from', 'to', 'cursor', 'limit'],
  );
  for (const [path, { get: operation }] of Object.entries(document.paths)) assert.ok(operation?.summary, path);
});

test('every reference in the document leads somewhere', async (t) => {
  const { get } = await testApi(t);
  const document = await get<Document>('/openapi.json');
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to);
  assert.ok(references.length > 20);
  for (const to of new Set(references)) {
    assert.match(to ?? '', /^#\/components\/schemas\/[A-Za-z]+$/);
    assert.ok(document.components.schemas[to?.split('/').at(-1) ?? ''], to);
  }
});

test('every answer is what the document says, to the last field', async (t) => {
  const { get, app, take } = await testApi(t);
  const entries = delegatedCall();
  const transport = { protocol: 'http' as const, peerService: 'd', peerAddress: '127.0.0.66:9' };
  const deny = { decision: { outcome: 'deny' as const, reason: 'x' }, outcome: { status: 'error' as const } };
  entries.hop({
    service: 'books',
    at: [9, 1],
    digest: 'T41',
    subject: user('erin'),
    actors: [service('x')],
    transport,
  });
  entries.hop({
    service: 'c',
    at: [8, 9, 8],
    requiredScopes: ['b'],
    initiator: user('zoe'),
    peer: service('p'),
    ...deny,
  });
  entries.hop({ service: 'c', side: 'caller', at: [8, 10, 9], transport });
  await take(observationsOf(entries.all));
  const document = await get<Document>('/openapi.json');
  for (const [path, at, status] of [
    ['/api/v1/chains', '/api/v1/chains', 200],
    ['/api/v1/chains/{id}', `/api/v1/chains/${traceOf([1, 1]).traceId}`, 200],
    ['/api/v1/chains/{id}', `/api/v1/chains/${traceOf([8, 1]).traceId}`, 200],
    ['/api/v1/chains/{id}', `/api/v1/chains/${traceOf([9, 1]).traceId}`, 200],
    ['/api/v1/chains/{id}', '/api/v1/chains/none', 404],
    ['/api/v1/hops', '/api/v1/hops', 200],
    ['/api/v1/findings', '/api/v1/findings', 200],
    ['/api/v1/log', '/api/v1/log', 200],
    ['/api/v1/parties', '/api/v1/parties', 200],
    ['/api/v1/parties/{key}/blast-radius', '/api/v1/parties/planner/blast-radius', 200],
    ['/api/v1/parties/{key}/blast-radius', '/api/v1/parties/books/blast-radius?kind=service&direction=backward', 200],
    ['/healthz', '/healthz', 200],
    ['/readyz', '/readyz', 200],
  ] as const) {
    const response = await app.inject(at);
    assert.equal(response.statusCode, status, at);
    const [content] = Object.values(document.paths[path]?.get?.responses[status]?.content ?? {});
    const checker = Compile(
      resolve(content?.schema ?? assert.fail(`${path} has no schema for ${status}`), document) as never,
    );
    assert.deepEqual([...checker.Errors(response.json())], [], at);
  }
});

/** A schema with its references put in place. */
function resolve(schema: unknown, document: Document): unknown {
  if (Array.isArray(schema)) return schema.map((each) => resolve(each, document));
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema)
    return resolve(document.components.schemas[String(schema.$ref).split('/').at(-1) ?? ''], document);
  return Object.fromEntries(Object.entries(schema).map(([name, each]) => [name, resolve(each, document)]));
}
