import type { ChainAnswer } from '#query';
import { ApiError, get, serverAddress } from './api-client.ts';
import { type Command, JSON_OPTION, onlyWord, URL_OPTION } from './command.ts';
import { renderChain } from './render-chain.ts';

/** `behalf chain <id>`: one chain as a tree, with grades, gaps, findings and verdicts. */
export const chain: Command = {
  name: 'chain',
  words: '<chain id | trace id | transaction id>',
  summary: 'print a delegation chain as a tree: who, on whose behalf, how sure, and what is missing',
  options: { ...URL_OPTION, ...JSON_OPTION },
  async run(given, terminal) {
    const id = onlyWord(chain, given);
    const answer = await findChain(serverAddress(given, terminal), id);
    if (answer === undefined) {
      terminal.err(`no chain has the id ${id}; list them with: behalf chains\n`);
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

/** The chain of that id; undefined when there is none. */
export async function findChain(server: URL, id: string): Promise<ChainAnswer | undefined> {
  try {
    const response = await get(server, `/api/v1/chains/${encodeURIComponent(id)}`);
    return (await response.json()) as ChainAnswer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
