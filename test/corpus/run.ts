import { type Recorded, stitch } from '#chains';
import { buildCollector } from '#collector';
import type { Ledger } from '#ledger';
import type { Entry, Observation } from '#observation';
import { KINDS, scenarioOf } from './kinds.ts';
import { measure, nothing } from './measure.ts';
import { Random } from './random.ts';
import type { Scenario } from './truth.ts';

export interface Accuracy {
  readonly seed: number;
  readonly chains: number;
  readonly total: ReturnType<typeof nothing>;
  readonly kinds: Readonly<Record<string, ReturnType<typeof nothing>>>;
  /** What went wrong where it must not, each with its kind. */
  readonly faults: readonly string[];
}

/**
 * Makes scenarios of every kind in turn until there are as many chains as asked, sends each through the collector as its
 * senders would, stitches what it took, and holds that against what really happened.
 */
export async function accuracyOf(seed: number, chains: number): Promise<Accuracy> {
  const sink = new Sink();
  const total = nothing();
  const kinds = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, nothing()]));
  const faults: string[] = [];
  for (let round = 0; total.chains < chains; round += 1) {
    for (const [i, kind] of Object.keys(KINDS).entries()) {
      const scenario = scenarioOf(kind, new Random(seed * 1_000_003 + round * 101 + i));
      const recorded = await sink.take(scenario);
      const stitched = stitch(recorded);
      const says = (wrong: string) => faults.push(`${kind} ${round}: ${wrong}`);
      measure(scenario, recorded, stitched, total, says);
      const own = kinds[kind];
      if (own !== undefined) measure(scenario, recorded, stitched, own);
    }
  }
  await sink.close();
  return { seed, chains: total.chains, total, kinds, faults };
}

/** The real collector over an append that keeps what it is given. */
class Sink {
  #kept: Observation[] = [];
  readonly #app = buildCollector({ ledger: { append: (given) => this.#append(given) }, idKey: new Uint8Array(32) });

  #append: Ledger['append'] = async (given) => {
    const from = this.#kept.length;
    this.#kept.push(...given);
    return given.map((_, i) => ({ kind: 'sequenced', leafIndex: BigInt(from + i), duplicate: false }));
  };

  async take({ requests }: Scenario): Promise<readonly Recorded[]> {
    this.#kept = [];
    for (const { signal, body } of requests) {
      const headers = { 'content-type': 'application/json' };
      const answer = await this.#app.inject({ method: 'POST', url: `/v1/${signal}`, headers, payload: body });
      if (answer.statusCode !== 200 || answer.body !== '{}') throw new Error(`${answer.statusCode} ${answer.body}`);
    }
    // Persons stand in clear: sealing changes how a party is written, not which parties are the same.
    return this.#kept.map((entry, i) => ({ leafIndex: BigInt(i), entry: entry as Entry }));
  }

  close = (): Promise<undefined> => this.#app.close();
}
