import { readFile, rename, writeFile } from 'node:fs/promises';
import { type LogReport, VerificationError, verifyLog } from '@behalf/verify';
import type { LogAnswer } from '#query';
import { get, serverAddress } from './api-client.ts';
import { type Command, JSON_OPTION, type Terminal, textOption, URL_OPTION } from './command.ts';
import { progressLine } from './progress.ts';

/** `behalf verify`: reads a running log over HTTP and recomputes it from its entry bytes up to the signed checkpoint. */
export const verify: Command = {
  name: 'verify',
  summary: 'check a running log over HTTP: every entry, tile, root and signature, recomputed here',
  options: {
    ...URL_OPTION,
    key: {
      value: 'vkey',
      says: 'the log’s verifier key, from a source you trust (default: ask the server, and say so)',
    },
    state: { value: 'file', says: 'remember the last checkpoint here and demand consistency with it' },
    ...JSON_OPTION,
  },
  async run(given, terminal) {
    const server = serverAddress(given, terminal);
    const pinned = textOption(given, 'key');
    const verifierKey = pinned ?? (await keyOfServer(server, terminal));
    const state = textOption(given, 'state');
    const previous = state === undefined ? undefined : await readState(state);
    try {
      const progress = progressLine(terminal, 'entries checked');
      const report = await verifyLog({
        url: new URL('/log', server).href,
        verifierKey,
        ...(previous === undefined ? {} : { previous }),
        onProgress: progress,
      });
      progress.end();
      if (state !== undefined) await writeState(state, report.note);
      terminal.out(
        given.options.json === true
          ? `${toJson(report)}\n`
          : describe(report, pinned !== undefined, previous !== undefined),
      );
      return 0;
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      terminal.err(`\nnot verified (${error.code}): ${error.message}\n`);
      return 1;
    }
  },
};

async function keyOfServer(server: URL, terminal: Terminal): Promise<string> {
  const { verifierKey } = (await (await get(server, '/api/v1/log')).json()) as LogAnswer;
  terminal.err(`the verifier key comes from the server itself; to trust nobody, pin it: --key '${verifierKey}'\n`);
  return verifierKey;
}

async function readState(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Written aside and renamed: a crash leaves the old checkpoint or the new one. */
async function writeState(path: string, note: string): Promise<void> {
  await writeFile(`${path}.new`, note);
  await rename(`${path}.new`, path);
}

const toJson = (report: LogReport): string =>
  JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

function describe({ checkpoint, entries, note }: LogReport, pinned: boolean, remembered: boolean): string {
  return [
    `verified: ${checkpoint.origin}`,
    `  ${entries} entries read, each hashed to its leaf, the tiles and the root of size ${checkpoint.size}`,
    `  the checkpoint is signed by the log's key (${pinned ? 'pinned by you' : 'as the server names it'})`,
    remembered
      ? '  consistent with the checkpoint remembered from before'
      : '  no earlier checkpoint was given to compare with',
    '',
    ...note.split('\n').map((line) => `  ${line}`),
  ].join('\n');
}
