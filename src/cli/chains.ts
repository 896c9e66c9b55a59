import type { ChainSummary, ChainsAnswer } from '#query';
import { get, serverAddress } from './api-client.ts';
import { type Command, JSON_OPTION, textOption, URL_OPTION } from './command.ts';

const FILTERS = [
  'subject',
  'actor',
  'service',
  'resource',
  'scope',
  'verdict',
  'finding',
  'from',
  'to',
  'cursor',
  'limit',
];

/** `behalf chains`: a line per chain, newest first. */
export const chains: Command = {
  name: 'chains',
  summary: 'list chains, newest first, a line each',
  options: {
    ...Object.fromEntries(FILTERS.map((name) => [name, { value: 'value', says: `as the query API's ${name}` }])),
    ...URL_OPTION,
    ...JSON_OPTION,
  },
  async run(given, terminal) {
    const query = new URLSearchParams(
      FILTERS.flatMap((name) => {
        const value = textOption(given, name);
        return value === undefined ? [] : [[name, value] as [string, string]];
      }),
    );
    const answer = (await (
      await get(serverAddress(given, terminal), `/api/v1/chains?${query}`)
    ).json()) as ChainsAnswer;
    if (given.options.json === true) terminal.out(`${JSON.stringify(answer)}\n`);
    else terminal.out(answer.chains.map(lineOf).join(''));
    if (answer.chains.length === 0)
      terminal.err('no chain fits; widen the filters, or see what was taken in with: behalf fsck\n');
    else if (answer.next !== null) terminal.err(`older ones: --cursor ${answer.next}\n`);
    return answer.chains.length === 0 ? 1 : 0;
  },
};

const lineOf = (chain: ChainSummary): string => {
  const when = new Date(Number(BigInt(chain.from) / 1_000_000n)).toISOString();
  const who = [
    chain.subject?.id ?? chain.subject?.key ?? 'nobody named',
    ...chain.actors.map((actor) => actor.id ?? actor.key),
  ];
  return `${when}  ${chain.verdict.padEnd(10)}  ${chain.id}  ${who.join(' → ')}  (${chain.hops} hops)\n`;
};
