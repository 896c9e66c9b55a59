import { readFile, rename, writeFile } from 'node:fs/promises';
import { type LogReport, type Policy, policyOfLog, VerificationError, verifyLog } from '@behalf/verify';
import type { LogAnswer } from '#query';
import { get, serverAddress } from './api-client.ts';
import {
  type Arguments,
  type Command,
  JSON_OPTION,
  type Terminal,
  textOption,
  URL_OPTION,
  UsageError,
} from './command.ts';
import { followPolicy } from './follow-key.ts';
import { readPolicy } from './outside-settings.ts';
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
    policy: {
      value: 'file',
      says: 'a tlog-policy file instead: which logs, which witnesses, how many must have cosigned',
    },
    state: { value: 'file', says: 'remember the last checkpoint here and demand consistency with it' },
    ...JSON_OPTION,
  },
  async run(given, terminal) {
    const server = serverAddress(given, terminal);
    const trusted = await trustedBy(given, server, terminal);
    const state = textOption(given, 'state');
    const previous = state === undefined ? undefined : await readState(state);
    try {
      const { policy, newKey } = await followPolicy(server, trusted.policy);
      if (newKey !== undefined) terminal.err(handedOver(newKey));
      const progress = progressLine(terminal, 'entries checked');
      const report = await verifyLog({
        url: new URL('/log', server).href,
        policy,
        ...(previous === undefined ? {} : { previous }),
        onProgress: progress,
      });
      progress.end();
      if (state !== undefined) await writeState(state, report.note);
      terminal.out(
        given.options.json === true ? `${toJson(report)}\n` : describe(report, trusted.from, previous !== undefined),
      );
      return 0;
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      const at = error.index === undefined ? '' : `, first bad index ${error.index}`;
      terminal.err(`\nnot verified (${error.code}${at}): ${error.message}\n`);
      return 1;
    }
  },
};

/** Whom the check believes, and where that comes from. */
interface Trusted {
  readonly policy: Policy;
  readonly from: 'key' | 'policy' | 'server';
}

async function trustedBy(given: Arguments, server: URL, terminal: Terminal): Promise<Trusted> {
  const [pinned, file] = [textOption(given, 'key'), textOption(given, 'policy')];
  if (pinned !== undefined && file !== undefined) throw new UsageError('expected --key or --policy, got both');
  if (file !== undefined) return { policy: await readPolicy(file), from: 'policy' };
  if (pinned !== undefined) return { policy: policyOfLog(pinned), from: 'key' };
  return { policy: policyOfLog(await keyOfServer(server, terminal)), from: 'server' };
}

async function keyOfServer(server: URL, terminal: Terminal): Promise<string> {
  const { verifierKey } = (await (await get(server, '/api/v1/log')).json()) as LogAnswer;
  terminal.err(`the verifier key comes from the server itself; to trust nobody, pin it: --key '${verifierKey}'\n`);
  return verifierKey;
}

const handedOver = (key: string): string =>
  `the log's key handed it over to another, and the hand-over is an entry of it; pin the new key too: --key '${key}'\n`;

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

const SIGNED_BY: Readonly<Record<Trusted['from'], string>> = {
  key: 'pinned by you',
  policy: 'as your policy names it',
  server: 'as the server names it',
};

function describe(
  { checkpoint, entries, note, cosigned }: LogReport,
  from: Trusted['from'],
  remembered: boolean,
): string {
  const witnesses = cosigned.map(({ witness }) => witness).join(', ');
  return [
    `verified: ${checkpoint.origin}`,
    `  ${entries} entries read, each hashed to its leaf, the tiles and the root of size ${checkpoint.size}`,
    `  the checkpoint is signed by the log's key (${SIGNED_BY[from]})`,
    ...(from === 'policy' ? [`  cosigned by ${witnesses === '' ? 'no witness of the policy' : witnesses}`] : []),
    remembered
      ? '  consistent with the checkpoint remembered from before'
      : '  no earlier checkpoint was given to compare with',
    '',
    ...note.split('\n').map((line) => `  ${line}`),
  ].join('\n');
}
