import type { Recorded } from '#chains';
import { digest, service } from '../chains/entries.ts';
import { deny, NOW, nanos, type Play, partyOf } from './play.ts';
import { before, type Scenario } from './scenario.ts';

const http = (peerAddress: string) => ({ transport: { protocol: 'http' as const, peerAddress } });
const day = 86_400;
const robot = (play: Play) => play.token({ subject: service('robot'), scopes: ['vault.read', 'vault.write'] });

/** What is wrong only beside what was before, or around it. */
export const HISTORY_SCENARIOS: readonly Scenario[] = [
  {
    rule: 'after_offboarding',
    attack: (play) => {
      const when = nanos(NOW - play.random.int(120, 90 * day));
      const isParty = play.random.chance(0.5);
      if (isParty) play.revoke({ party: play.random.pick([partyOf('gateway'), play.person]) }, when);
      const stop = play.delegation(2);
      play.delegate(stop, 'vault');
      if (!isParty) play.revoke({ token: digest(stop.token.name) }, when);
      return undefined;
    },
    benign: (play) => {
      const way = play.random.int(0, 2);
      if (way === 0) {
        play.revoke({ party: service('robot') }, nanos(NOW - 9_000));
        play.enter('vault', robot(play), deny);
        return undefined;
      }
      const party = partyOf('gateway');
      const when = way === 1 ? NOW + play.random.int(-50, 1_000) : NOW - 9_000;
      play.revoke({ party }, nanos(when));
      if (way === 2) play.revoke({ party }, nanos(NOW - 8_000), 'restored');
      const token = digest(play.delegation().token.name);
      play.revoke({ token }, nanos(when));
      if (way === 2) play.revoke({ token }, nanos(NOW - 8_000), 'restored');
      return undefined;
    },
  },
  {
    rule: 'unexpected_place',
    attack: (play) => {
      play.enter('vault', robot(play), http(`203.0.113.${play.random.int(1, 250)}:7`));
      return before({ hosts: ['10.0.0.1', '10.0.0.2'] });
    },
    benign: (play) => {
      play.enter('vault', robot(play), http('10.0.0.2:7'));
      const many = Array.from({ length: 9 }, (_, i) => `10.1.0.${i}`);
      return play.random.pick([
        before({ hosts: ['10.0.0.2'] }),
        before({ hosts: many }),
        before({ hosts: ['10.0.0.9'], days: 3 }),
      ]);
    },
  },
  {
    rule: 'dormant_awakened',
    attack: (play) => {
      play.delegation();
      return before({ lastSeen: nanos(NOW - play.random.int(61, 700) * day) });
    },
    benign: (play) => {
      play.delegation();
      return before({ lastSeen: nanos(NOW - play.random.int(0, 59) * day) });
    },
  },
  {
    rule: 'tool_first_used',
    attack: (play) => {
      play.delegate(play.delegation(2), 'tools', {
        callee: { transport: { protocol: 'mcp' }, operation: 'tools/call wipe' },
      });
      return before({ tools: ['tools/call pay', 'tools/call list'] });
    },
    benign: (play) => {
      play.delegate(play.delegation(2), 'tools', {
        callee: { transport: { protocol: 'mcp' }, operation: 'tools/call pay' },
      });
      return play.random.chance(0.5)
        ? before({ tools: ['tools/call pay'] })
        : before({ tools: ['tools/call list'], days: 4 });
    },
  },
  {
    rule: 'scope_unused',
    attack: (play) => {
      play.enter('vault', robot(play), { requiredScopes: ['vault.read'] });
      return before({ scopesUsed: play.random.chance(0.5) ? ['vault.read'] : ['vault.list'] });
    },
    benign: (play) => {
      const required = play.random.chance(0.5) ? ['vault.write'] : ['vault.read'];
      play.enter('vault', robot(play), { requiredScopes: required });
      const other = required[0] === 'vault.read' ? 'vault.write' : 'vault.read';
      return play.random.chance(0.5)
        ? before({ scopesUsed: [other] })
        : before({ scopesUsed: required, firstSeen: nanos(NOW - 5 * day) });
    },
  },
  {
    rule: 'environment_crossed',
    attack: (play) => crossed(play, 'staging', 'production'),
    benign: (play) =>
      play.random.chance(0.5) ? crossed(play, 'production', 'production') : crossed(play, undefined, 'production'),
  },
  {
    rule: 'secret_in_telemetry',
    attack: (play) => redacted(play, 'operation: looks like a credential; left out'),
    benign: (play) => redacted(play, 'operation: query, mail address or opaque part left out'),
  },
];

function crossed(play: Play, from: string | undefined, to: string): undefined {
  const stop = play.delegation();
  const reporter = (name: string, environment: string | undefined): Recorded['entry']['reporter'] => ({
    service: name,
    authenticated: 'none',
    ...(environment === undefined ? {} : { environment }),
  });
  play.delegate(stop, 'vault', {
    caller: { reporter: reporter(stop.service, from) },
    callee: { reporter: reporter('vault', to) },
  });
  return undefined;
}

function redacted(play: Play, detail: string): undefined {
  const anomalies = [{ code: 'redacted', detail }];
  play.delegate(
    play.delegation(),
    'vault',
    play.random.chance(0.5) ? { callee: { anomalies } } : { caller: { anomalies } },
  );
  return undefined;
}
