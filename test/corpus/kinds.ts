import type { Random } from './random.ts';
import type { Protocol, Token } from './report.ts';
import { type Handling, type Service, Simulation, type Weather } from './simulation.ts';
import type { Scenario } from './truth.ts';

const CALM: Weather = {
  wireLost: 0,
  processLost: 0,
  recordLost: 0,
  exchangeStray: 0,
  unsampled: 0,
  idsReused: 0,
};
const LOSSES = [0, 0.05, 0.1, 0.25, 0.5] as const;

/** One kind of scenario: what happens, under which weather. */
interface Kind {
  readonly weather: (random: Random) => Weather;
  readonly run: (simulation: Simulation, cast: Cast) => void;
}

/** Who takes part. */
interface Cast {
  readonly random: Random;
  readonly service: (name: string, style?: Service['style']) => Service;
  readonly token: (user?: string) => Token;
}

const lossy = (random: Random): Weather => {
  const lost = random.pick(LOSSES);
  return {
    ...CALM,
    wireLost: lost,
    processLost: lost / 2,
    exchangeStray: lost / 2,
    recordLost: random.pick([0, 0, 0.05]),
  };
};
const clear = (): Weather => CALM;

/** A user's call through `services`, each calling the next. */
const path =
  (protocol: Protocol, token: 'exchange' | 'derive' | 'pass' | 'mixed', restart?: 'link' | 'message') =>
  (simulation: Simulation, { random, service, token: tokenOf }: Cast): void => {
    const names = ['gateway', 'orders', 'payments', 'books', 'archive'].slice(0, random.between(2, 5));
    const [first, ...rest] = names.map((name) => service(name));
    if (first === undefined) return;
    let at = simulation.enter(first, { token: tokenOf(`user-${random.hex(4)}`), protocol: 'http' });
    for (const next of rest) {
      const how = token === 'mixed' ? random.pick(['exchange', 'pass', 'none'] as const) : token;
      at = simulation.call(at, next, { protocol, token: how, ...(restart === undefined ? {} : { restart }) });
    }
  };

const agentRun =
  (protocol: 'mcp' | 'a2a', style: Service['style']) =>
  (simulation: Simulation, { random, service, token }: Cast): void => {
    const agent = service('planner', style);
    let at = simulation.enter(service('gateway', 'sdk'), { token: token(`user-${random.hex(4)}`) });
    at = simulation.call(at, agent, { token: 'exchange' });
    for (let turn = random.between(1, 3); turn > 0; turn -= 1) {
      const step = simulation.step(at, 'planner');
      const tool = simulation.call(step, service(protocol === 'mcp' ? 'tools' : 'helper'), {
        ...{ protocol, token: random.pick(['exchange', 'pass'] as const), restart: 'message' },
      });
      if (random.chance(0.5)) simulation.call(tool, service('books', 'sdk'), { token: 'pass' });
    }
  };

/** Many users through one agent process at once: what an agent does for one must never be laid to another. */
const interleaved = (simulation: Simulation, { random, service, token }: Cast): void => {
  const [gateway, agent, books] = [service('gateway', 'sdk'), service('planner'), service('books', 'sdk')];
  const shared = token('shared-user');
  const arrived = Array.from({ length: random.between(3, 8) }, (): Handling => {
    const from = simulation.enter(gateway, { token: random.chance(0.3) ? shared : token(`user-${random.hex(4)}`) });
    return simulation.call(from, agent, { token: random.chance(0.7) ? 'exchange' : 'pass' });
  });
  for (const at of random.shuffle(arrived)) {
    const step = random.chance(0.5) ? simulation.step(at) : at;
    const to = simulation.call(step, books, { token: random.chance(0.8) ? 'exchange' : 'pass' });
    if (random.chance(0.3)) simulation.call(to, service('archive', 'sdk'), { token: 'pass' });
  }
};

const retried = (simulation: Simulation, { random, service, token }: Cast): void => {
  const [gateway, payments] = [service('gateway', 'sdk'), service('payments')];
  const at = simulation.enter(gateway, { token: token('dana') });
  const minted = at.token === undefined ? ('none' as const) : simulation.exchange(at, at.token);
  for (let attempt = random.between(2, 4); attempt > 0; attempt -= 1) simulation.call(at, payments, { token: minted });
};

const fannedOut = (simulation: Simulation, { random, service, token }: Cast): void => {
  const at = simulation.enter(service('gateway', 'sdk'), { token: token('dana') });
  for (let branch = random.between(3, 9); branch > 0; branch -= 1) {
    const next = simulation.call(at, service(random.pick(['orders', 'payments', 'books'])), { token: 'exchange' });
    if (random.chance(0.5)) simulation.call(next, service('archive'), { token: random.pick(['pass', 'exchange']) });
  }
};

const cron = (simulation: Simulation, { random, service, token }: Cast): void => {
  const job = service('nightly', 'sdk');
  const at: Handling = simulation.enter(job, { token: token() });
  for (let each = random.between(1, 4); each > 0; each -= 1)
    simulation.call(at, service(random.pick(['orders', 'books'])), { token: 'pass' });
};

/** A user talks with an agent in several requests; what the agent does for one of them starts a trace of its own. */
const talked = (simulation: Simulation, { random, service, token }: Cast): void => {
  const agent = service('planner', random.pick(['sdk', 'plain'] as const));
  const conversation = `conversation-${random.hex(12)}`;
  const turns = Array.from({ length: random.between(1, 3) }, () =>
    simulation.enter(agent, { token: token(`user-${random.hex(4)}`), conversation }),
  );
  for (const at of random.shuffle(turns))
    simulation.call(at, service('books', 'sdk'), { conversation, token: 'none', process: 'lost', wire: 'kept' });
};

/** Two requests that carry one token, and a call of the agent that says nothing of which it was made for. */
const indistinguishable = (simulation: Simulation, { random, service, token }: Cast): void => {
  const agent = service('planner', 'sdk');
  const session = token('dana');
  const traceId = random.hex(32);
  const first = simulation.enter(agent, { token: session, traceId });
  const second = simulation.enter(agent, { token: session, traceId });
  const served = random.pick([first, second]);
  simulation.call(served, service('books', 'sdk'), {
    ...{
      token: random.pick(['exchange', 'pass', 'none'] as const),
      process: 'unobserved' as const,
      wire: 'kept' as const,
    },
  });
};

/** Two callers whose spans carry one id, and a callee that continues it. */
const twins = (simulation: Simulation, { random, service, token }: Cast): void => {
  const traceId = random.hex(32);
  const spanId = random.hex(16);
  const session = token('dana');
  const [a, b] = [service('left', 'sdk'), service('right', 'sdk')];
  const calls = [a, b].map((each) => simulation.enter(each, { token: session, traceId }));
  for (const at of calls) {
    simulation.call(at, service('books', 'sdk'), {
      ...{ spanId, wire: 'kept' as const, process: 'kept' as const, token: 'pass' as const, namesPeer: false },
    });
  }
};

/** Every kind by name. */
export const KINDS: Readonly<Record<string, Kind>> = {
  http: { weather: clear, run: path('http', 'exchange') },
  http_lossy: { weather: lossy, run: path('http', 'exchange') },
  http_mixed: { weather: lossy, run: path('http', 'mixed') },
  grpc: { weather: lossy, run: path('grpc', 'pass') },
  queue: { weather: (random) => ({ ...lossy(random), wireLost: 0.5 }), run: path('messaging', 'mixed', 'link') },
  queue_by_id: { weather: (random) => ({ ...lossy(random), wireLost: 1 }), run: path('messaging', 'mixed', 'message') },
  cron: { weather: lossy, run: cron },
  exchange_stray: { weather: () => ({ ...CALM, exchangeStray: 0.7, processLost: 0.3 }), run: path('http', 'exchange') },
  mcp: { weather: lossy, run: agentRun('mcp', 'plain') },
  mcp_by_id: { weather: () => ({ ...CALM, wireLost: 1 }), run: agentRun('mcp', 'plain') },
  a2a: { weather: lossy, run: agentRun('a2a', 'sdk') },
  retries: { weather: lossy, run: retried },
  fan_out: { weather: lossy, run: fannedOut },
  interleaved: { weather: lossy, run: interleaved },
  interleaved_lost: {
    weather: () => ({ ...CALM, processLost: 0.5, exchangeStray: 0.5, wireLost: 0.25, recordLost: 0.05 }),
    run: interleaved,
  },
  trace_restarts: { weather: () => ({ ...CALM, wireLost: 1 }), run: path('http', 'exchange', 'link') },
  ids_reused: { weather: (random) => ({ ...lossy(random), idsReused: random.pick([30, 300]) }), run: interleaved },
  unsampled: { weather: (random) => ({ ...lossy(random), unsampled: 0.9 }), run: path('http', 'mixed') },
  delegated: { weather: lossy, run: path('http', 'derive') },
  conversation: { weather: () => ({ ...CALM, recordLost: 0.05 }), run: talked },
  indistinguishable: { weather: () => ({ ...CALM, exchangeStray: 1 }), run: indistinguishable },
  twins: { weather: clear, run: twins },
};

/** One scenario of a kind. Reporters are missing and clocks are skewed in all but the calm ones. */
export function scenarioOf(kind: string, random: Random): Scenario {
  const known = KINDS[kind];
  if (known === undefined) throw new TypeError(`no scenario of kind ${kind}`);
  const weather = known.weather(random);
  const simulation = new Simulation(random, weather);
  known.run(simulation, castOf(random, weather === CALM));
  return simulation.outcome(kind);
}

function castOf(random: Random, isCalm: boolean): Cast {
  const services = new Map<string, Service>();
  const service = (name: string, style?: Service['style']): Service => {
    const before = services.get(name);
    if (before !== undefined) return before;
    const missing = !isCalm && style === undefined && random.chance(0.1);
    const made: Service = {
      name,
      style: missing ? 'silent' : (style ?? random.pick(['sdk', 'sdk', 'plain'] as const)),
      instance: random.chance(0.5) ? `${name}-${random.hex(4)}` : undefined,
      skewNs: isCalm || random.chance(0.7) ? 0n : BigInt(random.between(-300, 300)) * 1_000_000_000n,
    };
    services.set(name, made);
    return made;
  };
  const token = (user?: string): Token => ({ digest: random.hex(64), user, actors: [], id: random.hex(16) });
  return { random, service, token };
}
