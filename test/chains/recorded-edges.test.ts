import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Recorded, stitch } from '#chains';
import type { Entry } from '#observation';
import { collectorOf } from '../collector/harness.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'inputs', 'otlp', 'derived');
const skip = existsSync(folder) ? false : 'recorded inputs (../shared/inputs/otlp/derived) are not here';

/** Cross-service edges as the inputs' own README counts them. */
const FILES = [
  { file: 'jaeger-deathstarbench.json', traces: 20, edges: 220 },
  { file: 'nezha-trainticket-2023-01-29.json.gz', traces: 137, edges: 1_611 },
  { file: 'nezha-onlineboutique-2022-08-22.json.gz', traces: 497, edges: 5_508 },
] as const;

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly service: string;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}
interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<SentSpan, 'service'>[] }[];
  }[];
}

const textOf = (file: string): string => {
  const bytes = readFileSync(join(folder, file));
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
};

const spansOf = (request: Request): readonly SentSpan[] =>
  request.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })));
  });

/** Every edge of the data itself: the child's span, and the services at both ends. */
function edgesOf(spans: readonly SentSpan[]): readonly string[] {
  const byId = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]));
  return spans.flatMap((child) => {
    const parent = byId.get(`${child.traceId}/${child.parentSpanId}`);
    return parent === undefined || parent.service === child.service
      ? []
      : [`${child.traceId}/${child.spanId} ${parent.service}>${child.service}`];
  });
}

for (const { file, traces, edges } of FILES) {
  test(`every cross-service edge of ${file} is a hop, and none is invented`, { skip }, async (t) => {
    const text = textOf(file);
    const sent = edgesOf(spansOf(JSON.parse(text) as Request));
    assert.equal(sent.length, edges);
    const collector = collectorOf(t);
    assert.equal((await collector.post('traces', text)).statusCode, 200);
    const recorded: Recorded[] = collector.observations.map((each, i) => ({
      leafIndex: BigInt(i),
      entry: each as Entry,
    }));
    const chains = stitch(recorded);
    const spanAt = (leaf: string | undefined): string => {
      const trace = recorded[Number(leaf)]?.entry.trace;
      return `${trace?.traceId}/${trace?.spanId}`;
    };
    const crossings = chains
      .flatMap((chain) => chain.hops)
      .filter((hop) => hop.from !== null && hop.kind === 'crossing');
    const told = crossings.map((hop) => `${spanAt(hop.calleeEntries[0])} ${hop.from?.name}>${hop.to?.name}`);
    assert.deepEqual(told.toSorted(), [...sent].toSorted());
    assert.ok(
      crossings.every((hop) => hop.grade === 'inferred' || hop.grade === 'asserted'),
      'topology alone',
    );
    const links = chains.flatMap((chain) => chain.links);
    assert.ok(
      links.every((link) => link.grade === 'inferred'),
      'topology alone, and nothing is ambiguous here',
    );
    assert.equal(chains.length, new Set(sent.map((edge) => edge.slice(0, 32))).size);
    assert.ok(chains.length <= traces);
  });
}
