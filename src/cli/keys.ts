import { join, resolve } from 'node:path';
import { formatVerifierKey, VerificationError } from '@behalf/verify';
import { openDatabase } from '#database';
import { openLedger, type Rotated } from '#ledger';
import { type KnownKeys, makeLogKey, readLogKeys } from '#ledger/keys';
import { type Arguments, type Command, onlyWord, type Terminal, textOption, UsageError } from './command.ts';
import { ledgerOutside } from './outside-settings.ts';
import { settingsFrom } from './settings.ts';

/** `behalf keys make|show|rotate`: the key that signs the log. No private key is ever printed. */
export const keys: Command = {
  name: 'keys',
  words: '<make|show|rotate>',
  summary: 'the log’s key: make one, show its public half and where it lives, or hand the log to a new one',
  options: {
    out: { value: 'file', says: 'make: where to make it (default: signer.key in BEHALF_DATA_DIR/keys)' },
    origin: { value: 'name', says: 'make, show: the log’s name, which its verifier key bears (default: as it signed)' },
    public: { value: 'base64', says: 'show: the verifier key of this Ed25519 public key, for BEHALF_SIGNER_KEY' },
    overlap: { value: 'days', says: 'rotate: how long the old key signs beside the new one, 0 to 3650 (default 30)' },
  },
  async run(given, terminal) {
    const folder = join(settingsFrom(terminal.environment).dataDir, 'keys');
    switch (onlyWord(keys, given)) {
      case 'make':
        return make(given, terminal, folder);
      case 'show':
        return show(given, terminal, folder);
      case 'rotate':
        return rotate(given, terminal, folder);
      default:
        throw new UsageError('keys: expected make, show or rotate');
    }
  },
};

async function make(given: Arguments, terminal: Terminal, folder: string): Promise<number> {
  const file = resolve(textOption(given, 'out') ?? join(folder, 'signer.key'));
  const publicKey = await makeLogKey(file);
  terminal.err(`made ${file}, for its owner alone; keep a copy where only you can read it\n`);
  terminal.out(`${publicHalf(publicKey, textOption(given, 'origin'))}\n`);
  return 0;
}

async function show(given: Arguments, terminal: Terminal, folder: string): Promise<number> {
  const [asked, origin] = [textOption(given, 'public'), textOption(given, 'origin')];
  if (asked !== undefined) {
    if (origin === undefined) throw new UsageError('--origin: expected the name of the log whose key this is');
    terminal.out(`${publicHalf(publicKeyFrom(asked), origin)}\n`);
    return 0;
  }
  const { key: source } = settingsFrom(terminal.environment);
  if (source?.kind === 'external') {
    terminal.err(`kept elsewhere, behind a ${source.signer.kind}\n`);
    terminal.out(`${source.verifierKey}\n`);
    return 0;
  }
  if (source?.kind === 'secret') terminal.err('BEHALF_SIGNING_KEY is set: a server uses that key, not these files\n');
  const known = await readLogKeys(folder);
  terminal.out(describe(known, origin ?? known.signed?.origin));
  if (known.keys.length > 0) return 0;
  terminal.err(`there is no key in ${folder}; a server makes one at its first start, behalf keys make makes it now\n`);
  return 1;
}

function describe({ keys: found, signed, until }: KnownKeys, origin: string | undefined): string {
  const lines = found.map(
    ({ file, role, publicKey }) => `${publicHalf(publicKey, origin)}\n  ${role}; private half in ${file}\n`,
  );
  const window = until === undefined ? '' : `both sign until ${timeOf(until)}\n`;
  const last = signed === undefined ? '' : `signed last: ${signed.origin}, size ${signed.size}\n`;
  return [...lines, window, last].join('');
}

/** Hands the log over while servers run on it or not; what waits for witnesses waits here too. */
async function rotate(given: Arguments, terminal: Terminal, folder: string): Promise<number> {
  const settings = settingsFrom(terminal.environment);
  const until = BigInt(Math.floor(Date.now() / 1000) + overlapOf(given) * 86_400);
  const { databaseUrl: url, dataDir, key } = settings;
  const onProgress = (says: string) => terminal.err(`${says}\n`);
  const database = await openDatabase({ ...(url === undefined ? {} : { url }), dataDir, onProgress });
  try {
    const ledger = await openLedger({
      database,
      keyFolder: folder,
      publishIntervalMs: 2 ** 31 - 1, // it publishes when the hand-over is in
      ...(key === undefined ? {} : { key }),
      ...(await ledgerOutside(settings)),
      onAlarm: (error) => terminal.err(`alarm: ${error instanceof Error ? error.message : String(error)}\n`),
    });
    try {
      const rotated = await ledger.rotateKey(until);
      terminal.out(`${rotated.to}\n`);
      terminal.err(explain(rotated));
    } finally {
      await ledger.close();
    }
  } finally {
    await database.close();
  }
  return 0;
}

const explain = ({ from, until, leafIndex }: Rotated): string =>
  [
    `entry ${leafIndex} hands the log over, signed by the key before: ${from}`,
    until * 1000n <= BigInt(Date.now())
      ? 'the old key is destroyed'
      : `the old key signs beside it until ${timeOf(until)}`,
    'restart the servers, so that they name the new key; give it to whoever pinned the old one, and to witnesses',
    'whoever still holds the old key follows with: behalf verify --key <old key>\n',
  ].join('\n');

function overlapOf(given: Arguments): number {
  const text = textOption(given, 'overlap') ?? '30';
  if (/^\d{1,4}$/.test(text) && Number(text) <= 3650) return Number(text);
  throw new UsageError(`--overlap: expected a number of days from 0 to 3650, got ${text.slice(0, 40)}`);
}

const timeOf = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString();

function publicHalf(publicKey: Uint8Array, origin: string | undefined): string {
  if (origin === undefined) return `public key ${Buffer.from(publicKey).toString('base64')}`;
  try {
    return formatVerifierKey(origin, publicKey);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    throw new UsageError(`--origin: ${error.message}`, { cause: error });
  }
}

function publicKeyFrom(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 32 && bytes.toString('base64') === text) return bytes;
  throw new UsageError('--public: expected the 32 bytes of an Ed25519 public key in base64');
}
