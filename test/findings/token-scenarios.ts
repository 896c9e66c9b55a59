import type { EntryParty } from '#observation';
import { agent, service } from '../chains/entries.ts';
import { carried, deny, NOW, nanos, type Play, partyOf, permit, type Stop } from './play.ts';
import { judgedBy, type Scenario } from './scenario.ts';

const http = (peerAddress: string) => ({ transport: { protocol: 'http' as const, peerAddress } });
const OTHER = 'https://other-idp';

/** What can be wrong with a token as a boundary sees it. */
export const TOKEN_SCENARIOS: readonly Scenario[] = [
  {
    rule: 'audience_violated',
    attack: (play) => {
      const stop = play.delegation();
      const claims = { audience: [play.random.pick(['https://crm', 'https://mail'])] };
      play.delegate(stop, 'vault', {}, { claims });
      return judgedBy({ audiences: { vault: ['https://vault'] } });
    },
    benign: (play) => {
      const claims = { audience: ['https://crm', 'https://vault'] };
      play.delegate(play.delegation(), play.random.pick(['vault', 'unlisted']), {}, { claims });
      return judgedBy({ audiences: { vault: ['https://vault'] } });
    },
  },
  {
    rule: 'issuer_violated',
    attack: (play) => {
      play.delegate(play.delegation(), 'vault', {}, { claims: { issuer: OTHER } });
      return judgedBy({ issuers: ['https://idp'] });
    },
    benign: (play) => {
      const isRefused = play.random.chance(0.5);
      const callee = isRefused ? { ...deny, decision: { outcome: 'deny' as const, reason: 'wrong_issuer' } } : {};
      const claims = isRefused ? { issuer: OTHER } : {};
      play.delegate(play.delegation(), 'vault', { callee }, { claims });
      return judgedBy({ issuers: ['https://idp'] });
    },
  },
  {
    rule: 'expiry_violated',
    attack: (play) => {
      const late = play.random.chance(0.5);
      const times = late
        ? { expiresAt: nanos(NOW - play.random.int(61, 9_000)) }
        : { notBefore: nanos(NOW + play.random.int(61, 900)) };
      play.delegate(play.delegation(), 'vault', {}, { claims: { issuedAt: nanos(NOW - 9_999), ...times } });
      return undefined;
    },
    benign: (play) => {
      const claims = { expiresAt: nanos(NOW - play.random.int(0, 59)), notBefore: nanos(NOW + play.random.int(0, 59)) };
      play.delegate(play.delegation(), 'vault', {}, { claims });
      return undefined;
    },
  },
  {
    rule: 'unverified_boundary',
    attack: (play) => {
      const stop = play.delegation();
      const token = play.token({
        subject: stop.token.subject,
        actors: [...stop.token.actors, partyOf(stop.service)],
        scopes: stop.token.scopes,
      });
      const shown = carried(token, 'unverified');
      const verification = { status: play.random.pick(['failed', 'unverified', 'absent'] as const) };
      play.call(stop, 'vault', play.exchange(stop, token), {
        callee: { authority: { ...shown.authority, verification } },
      });
      return undefined;
    },
    benign: (play) => {
      const stop = play.delegation();
      const verification = { status: 'failed' as const, reason: 'expired' };
      const refused = {
        decision: { outcome: 'deny' as const, reason: 'expired' },
        outcome: { status: 'error' as const },
      };
      play.call(stop, 'vault', stop.token, {
        callee: { authority: { ...carried(stop.token, 'verified').authority, verification }, ...refused },
      });
      return undefined;
    },
  },
  {
    rule: 'boundary_not_disclosed',
    attack: (play) => silentCall(play, play.delegation(), false),
    benign: (play) => silentCall(play, play.delegation(), true),
  },
  {
    rule: 'actor_not_peer',
    attack: (play) => {
      const stop = play.delegation();
      const spiffe = (name: string): EntryParty => ({ type: 'service', id: `spiffe://acme/${name}`, basis: 'proof' });
      const byName = {
        callee: { peer: { type: 'service' as const, id: 'mallory', issuer: 'https://idp', basis: 'proof' as const } },
      };
      if (play.random.chance(0.5)) play.delegate(stop, 'vault', byName);
      else
        play.delegate(
          stop,
          'vault',
          { callee: { peer: spiffe('mallory') } },
          { actors: [...stop.token.actors, spiffe(stop.service)] },
        );
      return undefined;
    },
    benign: (play) => {
      const stop = play.delegation();
      const acting = partyOf(stop.service);
      const same: EntryParty = { ...acting, basis: 'proof' };
      const mesh: EntryParty = { type: 'service', id: `spiffe://acme/ns/prod/sa/${stop.service}`, basis: 'proof' };
      const claimed: EntryParty = { type: 'service', id: 'mallory', issuer: 'https://idp', basis: 'attribute' };
      play.delegate(stop, 'vault', { callee: { peer: play.random.pick([same, mesh, claimed]) } });
      return undefined;
    },
  },
  {
    rule: 'baggage_contradicts',
    attack: (play) => beside(play, (said) => ({ ...said, ref: `p_${'66'.repeat(16)}` })),
    benign: (play) =>
      play.random.chance(0.5)
        ? beside(play, (said) => said)
        : beside(play, (said) => ({ ...said, type: 'unknown', ref: `p_${'66'.repeat(16)}` })),
  },
  {
    rule: 'token_replayed',
    attack: (play) => {
      const stop = play.delegation();
      const host = `203.0.113.${play.random.int(1, 250)}:9`;
      const known = play.call(stop, 'vault', stop.token, { callee: http('10.0.0.4:1') });
      play.enter(play.random.pick(['vault', 'books']), known.token, http(host), 9);
      return undefined;
    },
    benign: (play) => {
      const gateway = play.enter('gateway', play.token({ actors: [agent('planner')] }), {
        ...http('192.0.2.9:1'),
        ...withParent,
      });
      const inner = play.random.chance(0.5) ? play.step(gateway, { transport: { protocol: 'agent' } }) : gateway;
      const next = play.call(inner, 'books', gateway.token, { callee: http('10.0.0.2:1') });
      play.call(next, 'archive', gateway.token, { callee: http('10.0.0.3:1') });
      return undefined;
    },
  },
  {
    rule: 'shared_credential',
    attack: (play) => {
      const token = play.token({ subject: service('robot'), actors: [] });
      for (const [i, from] of ['alpha', 'beta', 'gamma'].slice(0, play.random.int(2, 3)).entries()) {
        const own = play.token({ subject: service(from) });
        play.call(play.enter(from, own, {}, i + 1), 'vault', token);
      }
      return undefined;
    },
    benign: (play) => {
      const token = play.token({ subject: service('robot'), actors: [] });
      for (const i of [1, 2, 3]) {
        const stop = play.enter('alpha', play.token({ subject: service('cron') }), {}, i);
        play.call(stop, 'vault', token, {
          caller: { reporter: { service: 'alpha', instance: `pod-${i}`, authenticated: 'none' } },
        });
      }
      return undefined;
    },
  },
  {
    rule: 'long_lived_secret',
    attack: (play) => {
      const days = play.random.int(2, 900);
      const claims = play.random.chance(0.5)
        ? { expiresAt: nanos(NOW + days * 86_400) }
        : { issuedAt: nanos(NOW - days * 86_400), expiresAt: undefined };
      const { expiresAt, ...others } = claims;
      const token = play.token({ subject: service('cron'), claims: expiresAt === undefined ? others : claims });
      const shown = carried(token, 'verified');
      if (expiresAt === undefined) Reflect.deleteProperty(shown.authority, 'expiresAt');
      play.enter('vault', token, { authority: shown.authority });
      return undefined;
    },
    benign: (play) => {
      if (play.random.chance(0.5)) play.enter('vault', play.token({ claims: { expiresAt: nanos(NOW + 9_000_000) } }));
      else play.enter('vault', play.token({ subject: service('cron'), claims: { expiresAt: nanos(NOW + 3_600) } }));
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

/** A call whose callee tells nothing of credentials, or tells that it checked one. */
function silentCall(play: Play, stop: Stop, tells: boolean): undefined {
  const at = play.delegate(stop, 'vault');
  const mute = { service: 'vault', side: 'caller' as const, transport: { protocol: 'http' as const } };
  play.entries.hop({ ...mute, at: [1, 900, at.span], outcome: permit.outcome });
  play.entries.hop({
    service: 'disk',
    at: [1, 901, 900],
    ...(tells ? carried(at.token, 'verified') : {}),
    outcome: permit.outcome,
  });
  return undefined;
}

/** A call whose caller says by a header for whom it is, beside the token. */
function beside(play: Play, change: (said: EntryParty & { ref: string }) => EntryParty): undefined {
  const person = { ...play.person, issuer: 'https://idp' } as EntryParty & { ref: string };
  const stop = play.enter('gateway', play.token({ subject: person }));
  const said = change({ ...person, basis: 'header' });
  play.call(stop, 'books', stop.token, { caller: { subject: said } });
  return undefined;
}
