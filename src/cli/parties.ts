import type { KnownParty, PartiesAnswer, SharedCredential } from '#query';
import { get, serverAddress } from './api-client.ts';
import { type Command, JSON_OPTION, textOption, URL_OPTION } from './command.ts';
import { clean, type Paint, painter } from './paint.ts';

const FILTERS = {
  party: 'party',
  type: 'type',
  'silent-since': 'silentSince',
  cursor: 'cursor',
  limit: 'limit',
} as const;

/** `behalf parties`: the agents, services and devices that were seen acting. */
export const parties: Command = {
  name: 'parties',
  summary: 'list agents, services and devices from their use: for whom, with which scopes, from where, when last',
  options: {
    party: { value: 'party', says: 'only this one: a key, issuer|id, or an id' },
    type: { value: 'type', says: 'only service, ai_agent or device' },
    'silent-since': { value: 'time', says: 'only those not seen since, RFC 3339' },
    cursor: { value: 'cursor', says: 'the next page, as the page before names it' },
    limit: { value: 'number', says: 'at most so many, 1 to 200' },
    ...URL_OPTION,
    ...JSON_OPTION,
  },
  async run(given, terminal) {
    const query = new URLSearchParams(
      Object.entries(FILTERS).flatMap(([option, name]) => {
        const value = textOption(given, option);
        return value === undefined ? [] : [[name, value] as [string, string]];
      }),
    );
    const response = await get(serverAddress(given, terminal), `/api/v1/parties?${query}`);
    const answer = (await response.json()) as PartiesAnswer;
    const paint = painter(terminal.color);
    if (given.options.json === true) terminal.out(`${JSON.stringify(answer)}\n`);
    else terminal.out(answer.parties.map((party) => describe(party, paint)).join('\n'));
    if (answer.parties.length === 0) terminal.err('no agent, service or device fits\n');
    else if (answer.next !== null) terminal.err(`more: --cursor ${answer.next}\n`);
    return answer.parties.length === 0 ? 1 : 0;
  },
};

function describe(party: KnownParty, paint: Paint): string {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['acts for', party.onBehalfOf],
    ['runs as', party.services],
    ['calls', party.targets],
    ['from', party.hosts],
    ['tools', party.tools],
    ['needed', party.scopesUsed],
    ['never needed', party.scopesUnused],
    ['credentials', party.credentials.map(short)],
    ['signed with', party.keys],
    ['shares', party.sharedCredentials.map(describeShared)],
  ];
  const shown = rows
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => `    ${name.padEnd(13)}${listed(list)}\n`);
  const ended = party.revokedAt === null ? '' : `    offboarded ${at(party.revokedAt)}\n`;
  const seen = `last seen ${at(party.lastSeen)}, first ${at(party.firstSeen)}, on ${party.days} ${party.days === 1 ? 'day' : 'days'}`;
  return `${paint('bold', clean(party.key))}\n    ${seen}\n${ended}${shown.join('')}`;
}

function describeShared({ digest, parties, workloads }: SharedCredential): string {
  const from = workloads.length === 0 ? '' : ` from ${workloads.join(' and ')}`;
  return `${short(digest)} of ${parties.join(' and ')}${from}`;
}

const short = (digest: string): string => `${digest.slice(0, 12)}…`;

const listed = (list: readonly string[]): string => list.map((each) => clean(each, 160)).join(', ');
const at = (nanos: string): string => new Date(Number(BigInt(nanos) / 1_000_000n)).toISOString();
