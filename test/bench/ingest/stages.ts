import { createSecretKey } from 'node:crypto';
import { checkEntry, encodeEntry, type Observation } from '#observation';
import { Accounting } from '../../../src/collector/account.ts';
import { SpanMemory } from '../../../src/collector/cause.ts';
import { READ_IN_SPANS } from '../../../src/collector/intake.ts';
import { observeSpans } from '../../../src/collector/observe.ts';
import { decodeTracesJson } from '../../../src/collector/otlp-json.ts';
import { decodeTraces } from '../../../src/collector/otlp-protobuf.ts';
import { hashLeaf } from '../../../src/ledger/hash.ts';
import { seal } from '../../../src/ledger/seal.ts';
import { type Sealing, sealEntry } from '../../../src/ledger/seal-entry.ts';
import { requestBody } from './request-body.ts';

const COUNT = 512;

/** Microseconds of one thread for one hop in each stage, alone, over requests of 512. */
export function stageCosts(seconds: number, seed = 1): Readonly<Record<string, number>> {
  const limits = { maxParts: 1_000_000, keys: READ_IN_SPANS };
  const protobuf = requestBody('protobuf', COUNT, 0, seed).bytes;
  const json = requestBody('json', COUNT, 0, seed).bytes;
  const groups = decodeTraces(protobuf, limits);
  const observer = () => ({
    received: 1_793_439_700_000_000_000n,
    idKey: new Uint8Array(32),
    memory: new SpanMemory(),
    accounting: new Accounting(),
  });
  const { observations } = observeSpans(groups, observer());
  const sealed = sealAll(observations);
  const entries = sealed.map(encodeEntry);
  const cost = (run: () => unknown) => microseconds(run, seconds / 8);
  return {
    'decode protobuf': cost(() => decodeTraces(protobuf, limits)),
    'decode json': cost(() => decodeTracesJson(json, limits)),
    map: cost(() => observeSpans(groups, observer())),
    seal: cost(() => sealAll(observations)),
    check: cost(() => sealed.map(checkEntry)),
    canonicalize: cost(() => sealed.map(encodeEntry)),
    hash: cost(() => entries.map(hashLeaf)),
  };
}

const PERSON_KEY = createSecretKey(new Uint8Array(32));

/** As the ledger seals one call: each person once. */
function sealAll(observations: readonly Observation[]) {
  const sealed = new Map<string, string>();
  const party: Sealing['party'] = ({ id, ...others }) => {
    if (others.type !== 'user') return { ...others, id };
    const value = sealed.get(id) ?? seal(PERSON_KEY, 'bench', id);
    sealed.set(id, value);
    return { ...others, ref: `p_${'0'.repeat(32)}`, sealed: value };
  };
  return observations.map((each) => sealEntry(each, { party, address: (address) => address }));
}

function microseconds(run: () => unknown, seconds: number): number {
  for (let i = 0; i < 5; i += 1) run();
  const started = performance.now();
  let runs = 0;
  for (; performance.now() - started < seconds * 1000; runs += 1) run();
  return ((performance.now() - started) * 1000) / (runs * COUNT);
}
