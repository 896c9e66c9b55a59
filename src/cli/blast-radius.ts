import type { BlastRadiusAnswer } from '#query';
import { get, serverAddress } from './api-client.ts';
import { type Command, JSON_OPTION, onlyWord, textOption, URL_OPTION } from './command.ts';
import { type Paint, painter } from './paint.ts';
import { renderBlastRadius } from './render-blast-radius.ts';

/** `behalf blast-radius <what>`: how far it reached and could have reached; or, backwards, what led to it. */
export const blastRadius: Command = {
  name: 'blast-radius',
  words: '<party | token SHA-256 | service | resource>',
  summary: 'print what was reached, what could have been, the way there, and what would have stopped it',
  options: {
    kind: { value: 'kind', says: 'party, token, service or resource (default: token for 64 hex digits, else party)' },
    from: { value: 'time', says: 'first moment, RFC 3339 such as 2026-11-01T00:00:00Z (default: all that is known)' },
    to: { value: 'time', says: 'last moment (exclusive)' },
    backwards: { says: 'everything and everyone that led, or could have led, to it' },
    ...URL_OPTION,
    ...JSON_OPTION,
  },
  async run(given, terminal) {
    const word = onlyWord(blastRadius, given);
    const kind = textOption(given, 'kind') ?? (/^[0-9a-f]{64}$/.test(word) ? 'token' : 'party');
    const direction = given.options.backwards === true ? 'backward' : 'forward';
    const period = ['from', 'to'].flatMap((name): [string, string][] => {
      const value = textOption(given, name);
      return value === undefined ? [] : [[name, value]];
    });
    const query = new URLSearchParams([['kind', kind], ['direction', direction], ...period]);
    const path = `/api/v1/parties/${encodeURIComponent(word)}/blast-radius?${query}`;
    const answer = (await (await get(serverAddress(given, terminal), path)).json()) as BlastRadiusAnswer;
    const paint: Paint = painter(terminal.color);
    terminal.out(given.options.json === true ? `${JSON.stringify(answer)}\n` : renderBlastRadius(answer, paint));
    if (answer.actual.chains > 0) return 0;
    terminal.err(
      'it occurs in no chain of that time; name another --kind, or a party by its key as `behalf parties` prints it\n',
    );
    return 1;
  },
};
