import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import canonicalize from 'canonicalize';
import { Accounting, openReception } from '#collector';
import type { Observation } from '#observation';
import { CONTENT_TYPE, type ContentType, type Signal } from '../../src/collector/answer.ts';
import { RequestError } from '../../src/collector/request-error.ts';
import { mutated, numbersFrom } from './mutation.ts';
import { SEEDS } from './seeds.ts';

/*
 * What requests came to when the digests were taken, byte for byte: observations with their ids, refusals, answers, counts.
 * A change that is meant is written down anew with BEHALF_RENEW_GOLDEN=1; any other one is a fault.
 */

const GOLDEN = join(import.meta.dirname, 'golden.json');
const INPUTS = join(import.meta.dirname, '..', '..', '..', 'shared', 'inputs', 'otlp');
const isRenewed = process.env.BEHALF_RENEW_GOLDEN === '1';
const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Record<string, string>;

interface Request {
  readonly signal: Signal;
  readonly type: ContentType;
  readonly body: Uint8Array;
}

/** A digest of everything that requests to one collector, one after the other, come to. */
async function digestOf(requests: Iterable<Request>): Promise<string> {
  const digest = createHash('sha256');
  const append = async (given: readonly Observation[]) => {
    for (const each of given) digest.update(`${canonicalize(each)}\n`);
    return given.map(() => ({ kind: 'sequenced', leafIndex: 0n, duplicate: false }) as const);
  };
  const accounting = new Accounting();
  const now = () => 1_793_439_800_000_000_000n;
  const { intake } = openReception({ ledger: { append }, accounting, idKey: new Uint8Array(32), now });
  for (const { signal, type, body } of requests) {
    try {
      const { rejected, message } = await intake.take(signal, type, body);
      digest.update(`${rejected} ${message}\n`);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      digest.update(`${error.status} ${error.message}\n`);
    }
  }
  // Counts that are nothing are left out: a further kind of count changes nothing here.
  const written = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value || undefined);
  return digest.update(JSON.stringify([accounting.account, accounting.senders], written)).digest('hex');
}

function hold(name: string, digest: string): void {
  if (isRenewed) golden[name] = digest;
  assert.equal(digest, golden[name], `${name} comes to something else than before`);
  if (isRenewed) writeFileSync(GOLDEN, `${JSON.stringify(golden, null, 2)}\n`);
}

function* mutations(rounds: number): Generator<Request> {
  const next = numbersFrom(11);
  for (let round = 0; round < rounds; round += 1) {
    const { signal, type, body } = SEEDS[next(SEEDS.length)] ?? SEEDS[0];
    yield { signal, type: CONTENT_TYPE[type], body: mutated(body, next) };
  }
}

test('good requests of both signals and encodings come to what they came to', async () => {
  hold('seeds', await digestOf(SEEDS.map((each) => ({ ...each, type: CONTENT_TYPE[each.type] }))));
});

test('ten thousand mutated requests come to what they came to', async () => {
  hold('mutated', await digestOf(mutations(10_000)));
});

const skip = existsSync(INPUTS) ? false : 'recorded inputs (../shared/inputs/otlp) are not here';

test('every recorded request comes to what it came to', { skip }, async () => {
  for (const folder of ['recorded', 'derived', 'found']) {
    for (const name of readdirSync(join(INPUTS, folder)).sort()) {
      const bytes = readFileSync(join(INPUTS, folder, name));
      const body = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
      const signal = /logs|events/.test(name) ? 'logs' : 'traces';
      const type = name.endsWith('.bin') ? CONTENT_TYPE.protobuf : CONTENT_TYPE.json;
      hold(`${folder}/${name}`, await digestOf([{ signal, type, body }]));
    }
  }
});
