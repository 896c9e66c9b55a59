import type { ChainAnswer } from '#query';
import { ApiError, get, serverAddress } from './api-client.ts';
import { type Command, JSON_OPTION, onlyWord, textOption, URL_OPTION } from './command.ts';
import { renderChain } from './render-chain.ts';

/** `behalf chain <id>`: one chain as a tree, with grades, gaps, findings and verdicts. */
export const chain: Command = {
  name: 'chain',
  words: '<chain id | trace id | transaction id>',
  summary: 'print a delegation chain as a tree: who, on whose behalf, how sure, and what is missing',
  options: {
    ...URL_OPTION,
    ...JSON_OPTION,
    'as-of': {
      value: 'size|time',
      says: 'as it was known then: a tree size, or RFC 3339 time (the last checkpoint published by then)',
    },
  },
  async run(given, terminal) {
    const id = onlyWord(chain, given);
    const answer = await findChain(serverAddress(given, terminal), id, textOption(given, 'as-of'));
    if (answer === undefined) {
      const then = given.options['as-of'] === undefined ? '' : ' at that time';
      terminal.err(`no chain has the id ${id}${then}; list them with: behalf chains\n`);
      return 1;
    }
    terminal.out(
      given.options.json === true
        ? `${JSON.stringify(answer)}\n`
        : `${renderChain(answer, { color: terminal.color })}\n`,
    );
    return 0;
  },
};

/** The chain of that id, as it is or as it was known at a tree size or time; undefined when there is none. */
export async function findChain(server: URL, id: string, asOf?: string): Promise<ChainAnswer | undefined> {
  const when = asOf === undefined ? '' : `?asOf=${encodeURIComponent(asOf)}`;
  try {
    const response = await get(server, `/api/v1/chains/${encodeURIComponent(id)}${when}`);
    return (await response.json()) as ChainAnswer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
