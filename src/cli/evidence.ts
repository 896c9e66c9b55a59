import { readFile, writeFile } from 'node:fs/promises';
import { formatEvidence, formatEvidencePage, parseEvidence, VerificationError } from '@behalf/verify';
import { get, serverAddress } from './api-client.ts';
import { type Command, onlyWord, textOption, URL_OPTION, UsageError } from './command.ts';
import { requestTimestamp } from './timestamp.ts';

/** `behalf evidence <id> --out <file>`: what someone who trusts nobody here can check offline. */
export const evidence: Command = {
  name: 'evidence',
  words: '<chain id | trace id | entry index>',
  summary: 'write the evidence of a chain or an entry, checked offline: a bundle, or a page that explains itself',
  options: {
    out: {
      value: 'file',
      says: 'where to write it: as a page for a browser where it ends in .html; an existing file is refused',
    },
    disclose: {
      value: 'all|refs',
      says: 'whose names it opens: all, or references p_… with commas (default: nobody’s)',
    },
    timestamp: {
      value: 'address',
      says: 'have an authority (RFC 3161) state when the checkpoint existed; it learns a hash and nothing else',
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
    const authority = textOption(given, 'timestamp');
    try {
      const bundle = await stamped(await response.text(), authority);
      await writeFile(file, file.endsWith('.html') ? await pageOf(bundle) : bundle, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      terminal.err(`nothing was written (${error.code}): ${error.message}\n`);
      return 1;
    }
    terminal.err(
      `wrote ${file}; whoever gets it ${file.endsWith('.html') ? 'opens it in a browser, and ' : ''}checks it with: npx @behalf/verify ${file} --policy <their policy>\n`,
    );
    return 0;
  },
};

/** The bundle with a timestamp over its checkpoint, where an authority is named. */
async function stamped(bundle: string, authority: string | undefined): Promise<string> {
  const read = parseEvidence(bundle);
  if (authority === undefined) return bundle;
  const timestamp = await requestTimestamp(authority, new TextEncoder().encode(read.checkpoint));
  return formatEvidence({ ...read, timestamp });
}

async function pageOf(bundle: string): Promise<string> {
  const empty = await readFile(new URL(import.meta.resolve('@behalf/verify/evidence.html')), 'utf8').catch(
    (cause: unknown) => {
      throw new Error('the evidence page is not built; run: npm run build', { cause });
    },
  );
  return formatEvidencePage(empty, bundle);
}
