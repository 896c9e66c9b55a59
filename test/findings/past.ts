import { type PartyBefore, partyKey } from '#chains';
import { type ClearParty, isPersonal, type Observation } from '#observation';
import { Entries } from '../chains/entries.ts';
import { observationsOf } from '../query/api.ts';

const DAY = 86_400_000_000_000n;

/** Uses on earlier days, from which the projection concludes what a scenario's history says: one of each machine a day. */
export function pastOf(observations: readonly Observation[], past: PartyBefore): readonly Observation[] {
  const entries = new Entries();
  for (const party of machinesIn(observations))
    for (let day = 0; day < past.days; day += 1) use(entries, party, day, past);
  return observationsOf(entries.all);
}

function machinesIn(observations: readonly Observation[]): readonly ClearParty[] {
  const machines = new Map<string, ClearParty>();
  for (const each of observations) {
    const party = each.kind === 'hop' ? (each.actors.at(-1) ?? each.subject) : undefined;
    if (party !== undefined && !isPersonal(party)) machines.set(partyKey(party), party);
  }
  return [...machines.values()];
}

function use(
  entries: Entries,
  subject: ClearParty,
  day: number,
  { firstSeen, lastSeen, days, ...habits }: PartyBefore,
) {
  const { hosts, tools, scopesUsed } = habits;
  const nth = (list: readonly string[]): string | undefined => list[day % Math.max(1, list.length)];
  const [host, tool, scope] = [nth(hosts), nth(tools), nth(scopesUsed)];
  const span = entries.all.length + 1;
  const step = days > 1 ? (BigInt(lastSeen) - BigInt(firstSeen)) / BigInt(days - 1) : 0n;
  entries.hop({
    service: 'past',
    at: [span, span],
    digest: `past ${span}`,
    subject,
    transport: {
      protocol: tool === undefined ? 'http' : 'mcp',
      ...(host === undefined ? {} : { peerAddress: `${host}:1` }),
    },
    ...(tool === undefined ? {} : { operation: tool }),
    ...(scope === undefined ? {} : { requiredScopes: [scope] }),
    decision: { outcome: 'permit' },
    outcome: { status: 'ok' },
    time: String(days > 1 ? BigInt(firstSeen) + step * BigInt(day) : BigInt(lastSeen) - (BigInt(lastSeen) % DAY)),
  });
}
