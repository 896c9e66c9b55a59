import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { get, serverAddress } from './api-client.ts';
import { type Command, onlyWord, textOption, URL_OPTION, UsageError } from './command.ts';

/** `behalf evidence <id> --out <file>`: what someone who trusts nobody here can check offline. */
export const evidence: Command = {
  name: 'evidence',
  words: '<chain id | trace id | entry index>',
  summary: 'write the evidence bundle of a chain or an entry: checked offline with npx @behalf/verify',
  options: {
    out: { value: 'file', says: 'where to write it; an existing file is refused' },
    disclose: {
      value: 'all|refs',
      says: 'whose names it opens: all, or references p_… with commas (default: nobody’s)',
    },
    ...URL_OPTION,
  },
  async run(given, terminal) {
    const id = onlyWord(evidence, given);
    const file = textOption(given, 'out');
    if (file === undefined) throw new UsageError('--out: expected the file to write');
    const disclose = textOption(given, 'disclose') ?? 'none';
    const kind = /^\d{1,19}$/.test(id) ? 'entries' : 'chains';
    const path = `/api/v1/${kind}/${encodeURIComponent(id)}/evidence?${new URLSearchParams({ disclose })}`;
    const response = await get(serverAddress(given, terminal), path);
    if (response.body === null) throw new Error('the server answered without a body; try again');
    await response.body.pipeTo(Writable.toWeb(createWriteStream(file, { flags: 'wx', mode: 0o600 })));
    terminal.err(`wrote ${file}; whoever gets it checks it with: npx @behalf/verify ${file} --policy <their policy>\n`);
    return 0;
  },
};
