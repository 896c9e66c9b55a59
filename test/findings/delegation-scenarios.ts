import type { EntryParty } from '#observation';
import { agent, service, user } from '../chains/entries.ts';
import { deny, NOW, nanos, type Play, partyOf, permit, type Stop } from './play.ts';
import { judgedBy, type Scenario } from './scenario.ts';

/** What can be wrong with who acts for whom, and how far. */
export const DELEGATION_SCENARIOS: readonly Scenario[] = [
  {
    rule: 'delegation_laundered',
    attack: (play) => {
      const stop = play.delegation(play.random.int(2, 4));
      const gone = play.random.int(0, stop.token.actors.length - 1);
      const kept = stop.token.actors.filter((_, i) => i !== gone);
      const actors = play.random.chance(0.5) ? [] : [...kept, partyOf(stop.service)];
      const token = play.token({ subject: stop.token.subject, actors, scopes: stop.token.scopes });
      if (play.random.chance(0.6)) play.exchange(stop, token);
      play.call(stop, 'vault', token);
      return undefined;
    },
    benign: (play) => {
      const stop = play.delegation(play.random.int(2, 4));
      if (play.random.chance(0.5)) play.delegate(stop, 'vault');
      else
        play.delegate(
          stop,
          'partner',
          {},
          { actors: [agent('p-77')], claims: { issuer: 'https://partner' }, subject: user('d.smith') },
        );
      return undefined;
    },
  },
  {
    rule: 'act_missing',
    attack: (play) => {
      const stop = play.enter('gateway', play.token());
      const inner = play.random.chance(0.5) ? stop : play.step(stop, { transport: { protocol: 'unknown' } });
      play.call(inner, play.random.pick(['vault', 'books']), play.token({ scopes: stop.token.scopes }));
      return undefined;
    },
    benign: (play) => {
      const stop = play.enter('gateway', play.token());
      if (play.random.chance(0.5)) play.call(stop, 'vault', stop.token);
      else play.call(stop, 'vault', play.token({ subject: service('gateway') }));
      return undefined;
    },
  },
  {
    rule: 'impersonation',
    attack: (play) => {
      const stop = play.enter('gateway', play.token());
      if (play.random.chance(0.5)) {
        const token = play.token({ scopes: stop.token.scopes });
        play.call(stop, 'vault', play.exchange(stop, token, { requester: service('gateway') }));
      } else play.enter('kube', play.token(), { initiator: service('system:serviceaccount:agents:planner') }, 2);
      return undefined;
    },
    benign: (play) => {
      if (play.random.chance(0.5)) {
        const stop = play.enter('gateway', play.token());
        const token = play.token({ actors: [service('gateway')], scopes: stop.token.scopes });
        play.call(stop, 'vault', play.exchange(stop, token, { requester: service('gateway') }));
      } else {
        const stop = play.enter('app', play.token({ claims: { client: 'app' } }));
        const narrowed = play.token({ scopes: stop.token.scopes.slice(0, 1) });
        play.call(stop, 'vault', play.exchange(stop, narrowed, { requester: service('app') }));
      }
      return undefined;
    },
  },
  {
    rule: 'agent_as_human',
    attack: (play) => {
      const stop = play.enter('planner', play.token());
      const named: EntryParty = { type: 'ai_agent', id: 'planner', basis: 'attribute' };
      if (play.random.chance(0.5)) play.call(stop, 'vault', stop.token, { caller: { actors: [named] } });
      else {
        const step = play.step(stop, { transport: { protocol: 'agent' }, actors: [named] });
        play.call(step, 'vault', stop.token);
      }
      return undefined;
    },
    benign: (play) => {
      const stop = play.enter('planner', play.token());
      const step = play.step(stop, {
        transport: { protocol: 'agent' },
        actors: [{ type: 'ai_agent', id: 'planner', basis: 'attribute' }],
      });
      if (play.random.chance(0.5)) play.delegate(step, 'vault');
      else play.call(stop, 'vault', stop.token);
      return undefined;
    },
  },
  {
    rule: 'human_uses_service',
    attack: (play) => {
      play.enter(play.random.pick(['vault', 'kube']), play.token({ subject: service('deployer') }), {
        initiator: play.person,
      });
      return undefined;
    },
    benign: (play) => {
      const subject = service('deployer');
      const acted = play.token({ actors: [service('deployer')] });
      const token = play.random.pick([play.token({ subject }), acted]);
      const stop = play.enter('vault', token, token === acted ? { ...withParent, initiator: play.person } : {});
      play.step(stop, { transport: { protocol: 'unknown' } });
      return undefined;
    },
  },
  {
    rule: 'scope_widened',
    attack: (play) => {
      const stop = play.delegation();
      if (play.random.chance(0.4)) return widened(play, stop);
      const scopes = [...stop.token.scopes, play.random.pick(['payee.write', 'admin'])];
      const token = play.token({ actors: [...stop.token.actors, partyOf(stop.service)], scopes });
      if (play.random.chance(0.5)) play.exchange(stop, token);
      play.call(stop, 'vault', token);
      return undefined;
    },
    benign: (play) => {
      const stop = play.delegation();
      if (play.random.chance(0.4)) return narrowed(play, stop);
      if (play.random.chance(0.5)) play.delegate(stop, 'vault', {}, { scopes: stop.token.scopes.slice(0, 1) });
      else play.call(stop, 'vault', play.token({ subject: partyOf(stop.service), scopes: ['vault.read'] }));
      return undefined;
    },
  },
  {
    rule: 'scope_exceeded',
    attack: (play) => {
      const stop = play.delegation();
      if (play.random.chance(0.5))
        play.delegate(stop, 'vault', { callee: { requiredScopes: ['payee.write'], ...deny } });
      else
        play.exchange(stop, play.token({ scopes: [] }), {
          scopesRequested: ['admin'],
          scopesGranted: [],
          decision: { outcome: 'deny', reason: 'invalid_scope' },
        });
      return undefined;
    },
    benign: (play) => {
      const decision = { outcome: 'deny' as const, reason: 'closed on Sundays' };
      play.delegate(play.delegation(), 'vault', { callee: { requiredScopes: ['invoice.pay'], ...deny, decision } });
      return undefined;
    },
  },
  {
    rule: 'confused_deputy',
    attack: (play) => deputy(play, { required: 'payee.write', resource: 'payee:7', own: 'payee:7' }),
    benign: (play) =>
      play.random.chance(0.5)
        ? deputy(play, { required: 'payee.write', resource: 'payee:7', own: 'config:books' })
        : deputy(play, { required: 'invoice.pay', resource: 'payee:7', own: 'payee:7' }),
  },
  {
    rule: 'denied_but_effected',
    attack: (play) => {
      const stop = play.delegation();
      if (play.random.chance(0.5)) play.delegate(stop, 'vault', { callee: { ...deny, outcome: permit.outcome } });
      else play.call(play.delegate(stop, 'vault', { callee: deny }), 'disk', stop.token);
      return undefined;
    },
    benign: (play) => {
      const stop = play.delegate(play.delegation(), 'vault', {
        callee: { ...deny, decision: { outcome: 'deny', reason: 'closed' } },
      });
      const keys = { service: 'vault', side: 'caller' as const, operation: 'GET /jwks', outcome: permit.outcome };
      if (play.random.chance(0.5)) play.entries.hop({ ...keys, at: [1, 800, stop.span] });
      return undefined;
    },
  },
  {
    rule: 'approval_missing',
    attack: (play) => {
      play.delegate(play.delegation(), 'vault', { callee: { requiredScopes: ['invoice.pay'] } });
      return judgedBy({ privilegedScopes: ['invoice.pay'] });
    },
    benign: (play) => {
      const stop = play.delegation();
      const approval = play.call(
        stop,
        'consent',
        play.token({ subject: play.person, scopes: stop.token.scopes, claims: { issuer: 'https://consent' } }),
        { callee: { operation: 'approve', decision: { outcome: 'permit' } }, caller: { side: 'local' } },
      );
      play.delegate(approval.trace === 1 ? stop : approval, 'vault', { callee: { requiredScopes: ['invoice.pay'] } });
      return judgedBy({ privilegedScopes: ['invoice.pay'] });
    },
  },
  {
    rule: 'orphan_hop',
    attack: (play) => {
      play.enter('books', play.token({ actors: [partyOf(play.random.pick(['planner', 'gateway']))] }));
      return undefined;
    },
    benign: (play) => {
      if (play.random.chance(0.5)) play.enter('books', play.token({ actors: [agent('planner')] }), withParent);
      else play.enter('books', play.token());
      return undefined;
    },
  },
  {
    rule: 'too_deep',
    attack: (play) => {
      deep(play, play.random.int(9, 14));
      return undefined;
    },
    benign: (play) => {
      deep(play, play.random.int(5, 8));
      return undefined;
    },
  },
  {
    rule: 'call_cycle',
    attack: (play) => {
      circle(play, play.random.int(3, 6));
      return undefined;
    },
    benign: (play) => {
      circle(play, 2);
      return undefined;
    },
  },
];

const withParent = {
  trace: {
    traceId: '1'.padStart(32, '0'),
    spanId: 'aa'.padStart(16, '0'),
    parentSpanId: 'ab'.padStart(16, '0'),
    flags: 1,
    links: [],
  },
};

function deputy(play: Play, given: { required: string; resource: string; own: string }): undefined {
  const stop = play.delegate(
    play.delegation(),
    'books',
    { callee: { resource: given.resource } },
    { scopes: ['invoice.pay'] },
  );
  const token = play.token({ subject: service('books'), scopes: ['payee.write', 'invoice.pay'] });
  play.call(stop, 'vault', token, { callee: { resource: given.own, requiredScopes: [given.required] } });
  return undefined;
}

const GOVERNED = { governed: ['scope', 'purpose', 'audience', 'expiry'] } as const;

/** Goes on in one dimension beyond what the token that went in allows, all of them being governed. */
function widened(play: Play, from: Stop): ReturnType<typeof judgedBy> {
  const told = { callee: { purpose: 'payment' }, caller: { purpose: 'payment' } };
  const first = play.delegate(from, 'vault', told, BOUNDED);
  const beyond = play.random.pick([
    { told: { callee: { purpose: 'marketing' } }, claims: {} },
    { told, claims: { audience: ['https://vault', 'https://elsewhere'] } },
    { told, claims: { expiresAt: nanos(NOW + 9_000) } },
  ]);
  play.delegate(first, 'books', beyond.told, { claims: { ...BOUNDED.claims, ...beyond.claims } });
  return judgedBy(GOVERNED);
}

/** Goes on within every dimension; or beyond them under an issuer of its own. */
function narrowed(play: Play, from: Stop): ReturnType<typeof judgedBy> {
  const told = { callee: { purpose: 'payment' }, caller: { purpose: 'payment' } };
  const first = play.delegate(from, 'vault', told, BOUNDED);
  const within = play.random.pick([
    { expiresAt: nanos(NOW + 120) },
    { audience: ['https://vault'] },
    { issuer: 'https://partner', audience: ['https://elsewhere'], expiresAt: nanos(NOW + 9_000) },
  ]);
  play.delegate(first, 'books', told, { claims: { ...BOUNDED.claims, ...within } });
  return judgedBy(GOVERNED);
}

const BOUNDED = { claims: { audience: ['https://vault', 'https://books'], expiresAt: nanos(NOW + 300) } };

/** A delegation through so many services. */
function deep(play: Play, actors: number): void {
  let stop: Stop = play.enter('s0', play.token());
  for (let i = 1; i <= actors; i += 1) stop = play.delegate(stop, `s${i}`);
}

/** The same operation so many times on one path. */
function circle(play: Play, times: number): void {
  let stop: Stop = play.enter('gateway', play.token());
  for (let i = 0; i < times; i += 1) {
    stop = play.call(stop, 'ping', stop.token, { callee: { operation: 'POST /ping', resource: 'ball' } });
    stop = play.call(stop, 'pong', stop.token, { callee: { operation: 'POST /pong', resource: `ball-${i}` } });
  }
}
