import { parseVerifierKey, VerificationError } from '@behalf/verify';
import type { ExternalSigner, KeySource } from '#ledger';
import { UsageError } from './command.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the log's private key is; in the key folder when not told. */
export interface SigningSettings {
  readonly key?: KeySource;
}

/** The environment variables that say so, for --help. */
export const SIGNING_ENVIRONMENT: readonly (readonly [name: string, says: string])[] = [
  ['BEHALF_SIGNING_KEY', 'the log’s private key, 64 hex digits; without it signer.key in BEHALF_DATA_DIR/keys'],
  ['BEHALF_SIGNER_COMMAND', 'or a command that signs: the text on its input, 64 bytes in base64 on its output'],
  ['BEHALF_SIGNER_URL', 'or an address that signs, https or on loopback: the same by POST'],
  ['BEHALF_SIGNER_TOKEN', 'a bearer token for that address'],
  ['BEHALF_SIGNER_KEY', 'the verifier key of what that command or address signs; its name is the log’s origin'],
];

/** Taken out of the environment at the start, so that no process inherits them. */
export const SECRET_VARIABLES = ['BEHALF_SIGNING_KEY', 'BEHALF_SIGNER_TOKEN'] as const;

/** Reads them. Throws UsageError, which repeats no value. */
export function signingSettingsFrom(environment: Environment): SigningSettings {
  const given = ['BEHALF_SIGNING_KEY', 'BEHALF_SIGNER_COMMAND', 'BEHALF_SIGNER_URL'].filter(
    (name) => environment[name],
  );
  const [name] = given;
  if (name === undefined) return {};
  if (given.length > 1) throw new UsageError(`${given.join(' and ')}: expected one of them, the log has one key`);
  if (name === 'BEHALF_SIGNING_KEY') return { key: secretFrom(environment[name] ?? '') };
  return { key: { kind: 'external', signer: signerFrom(environment), verifierKey: verifierKeyFrom(environment) } };
}

function secretFrom(text: string): KeySource {
  const secret = text.trim();
  if (/^[0-9a-f]{64}$/.test(secret)) return { kind: 'secret', secret };
  throw new UsageError(
    `BEHALF_SIGNING_KEY: expected 64 hex digits in lower case, as a signer.key holds them, got ${secret.length} characters; behalf keys make makes one`,
  );
}

function signerFrom({
  BEHALF_SIGNER_COMMAND: command,
  BEHALF_SIGNER_URL: text = '',
  ...rest
}: Environment): ExternalSigner {
  if (command) return { kind: 'command', command };
  const url = URL.parse(text);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (url === null || !isSafe || url.username !== '' || url.password !== '') {
    throw new UsageError(
      'BEHALF_SIGNER_URL: expected an https address, or http on loopback, without name and password (BEHALF_SIGNER_TOKEN is for that)',
    );
  }
  const { BEHALF_SIGNER_TOKEN: token } = rest;
  return { kind: 'url', url: url.href, ...(token ? { token } : {}) };
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);

function verifierKeyFrom({ BEHALF_SIGNER_KEY: verifierKey = '' }: Environment): string {
  try {
    if (parseVerifierKey(verifierKey).type === 'ed25519') return verifierKey;
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
  }
  throw new UsageError(
    'BEHALF_SIGNER_KEY: expected the verifier key origin+hash+base64 of what the signer signs; behalf keys show --public prints it for a public key',
  );
}
