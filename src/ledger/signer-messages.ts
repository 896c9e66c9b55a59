import { LedgerError, type LedgerErrorCode } from './errors.ts';
import type { KeySource } from './key-ring.ts';
import type { Signed } from './signer.ts';
import type { LastSigned } from './signer-state.ts';
import type { TreeHead } from './sql/log.ts';

/** What the server asks of its signer process. None of it makes the signer give a key away or sign a text of the server's. */
export type SignerRequest =
  | { readonly kind: 'open'; readonly folder: string; readonly source: KeySource }
  | { readonly kind: 'last'; readonly origin: string }
  | {
      readonly kind: 'sign';
      readonly origin: string;
      readonly head: TreeHead;
      readonly proof: readonly Uint8Array[];
      readonly since: LastSigned | undefined;
    }
  | { readonly kind: 'prepare'; readonly origin: string; readonly until: bigint }
  | { readonly kind: 'finish'; readonly origin: string };

/** What it is told of the keys: their public halves. */
export interface OpenedKeys {
  readonly current: Uint8Array;
  readonly next: Uint8Array | undefined;
  readonly hasSigned: boolean;
}

export interface SignerAnswers {
  readonly open: OpenedKeys;
  readonly last: LastSigned | undefined;
  readonly sign: Signed | undefined;
  readonly prepare: string; // the hand-over note
  readonly finish: undefined;
}

export type SignerReply =
  | { readonly id: number; readonly kind: 'done'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'refused'; readonly code: LedgerErrorCode; readonly says: string }
  | { readonly id: number; readonly kind: 'failed'; readonly says: string };

/** Takes a message as a request; a server that was taken over may send anything. Throws TypeError. */
export function parseRequest(message: unknown): { readonly id: number; readonly request: SignerRequest } {
  const { id, request } = objectOf(message);
  if (typeof id !== 'number') throw new TypeError('signer: expected a number as id');
  return { id, request: requestOf(objectOf(request)) };
}

function requestOf(given: Readonly<Record<string, unknown>>): SignerRequest {
  const { kind } = given;
  if (kind === 'open') return { kind, folder: textOf(given.folder), source: sourceOf(objectOf(given.source)) };
  const origin = textOf(given.origin);
  switch (kind) {
    case 'last':
    case 'finish':
      return { kind, origin };
    case 'prepare':
      return { kind, origin, until: bigintOf(given.until) };
    case 'sign': {
      const proof = Array.isArray(given.proof) ? given.proof.map(bytesOf) : undefined;
      if (proof === undefined || proof.length > 128)
        throw new TypeError('signer: expected a proof of at most 128 hashes');
      return { kind, origin, head: headOf(objectOf(given.head)), proof, since: sinceOf(given.since) };
    }
    default:
      throw new TypeError('signer: expected open, last, sign, prepare or finish');
  }
}

function sourceOf(given: Readonly<Record<string, unknown>>): KeySource {
  const { kind } = given;
  if (kind === 'file') return { kind };
  if (kind === 'secret') return { kind, secret: textOf(given.secret) };
  if (kind !== 'external') throw new TypeError('signer: expected a key of kind file, secret or external');
  const { kind: how, command, url, token } = objectOf(given.signer);
  const signer =
    how === 'command'
      ? ({ kind: 'command', command: textOf(command) } as const)
      : ({ kind: 'url', url: textOf(url), ...(token === undefined ? {} : { token: textOf(token) }) } as const);
  const timeoutMs = typeof given.timeoutMs === 'number' ? { timeoutMs: given.timeoutMs } : {};
  return { kind, signer, verifierKey: textOf(given.verifierKey), ...timeoutMs };
}

const headOf = ({ size, root }: Readonly<Record<string, unknown>>): TreeHead => ({
  size: bigintOf(size),
  root: bytesOf(root),
});

/** Only its place counts: the rest is read from the signer's own memory. */
function sinceOf(given: unknown): LastSigned | undefined {
  if (given === undefined) return undefined;
  const { generation, checkpoint } = objectOf(given);
  if (typeof generation !== 'number') throw new TypeError('signer: expected a number as generation');
  const { origin, size, root } = objectOf(checkpoint);
  return { generation, checkpoint: { origin: textOf(origin), ...headOf({ size, root }) }, note: undefined };
}

/** A signer's refusal as the error it was there; other trouble as `unsigned`: it is passing, or its operator sees it told. */
export function errorOf(reply: Exclude<SignerReply, { kind: 'done' }>): LedgerError {
  if (reply.kind === 'refused') return new LedgerError(reply.code, reply.says);
  return new LedgerError(
    'unsigned',
    `the signer could not do it: ${reply.says}; nothing was signed; it is asked again`,
  );
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return { ...value };
  throw new TypeError('signer: expected an object');
}

function textOf(value: unknown): string {
  if (typeof value === 'string' && value.length <= 65_536) return value;
  throw new TypeError('signer: expected a text');
}

function bigintOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  throw new TypeError('signer: expected a size');
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length === 32) return value;
  throw new TypeError('signer: expected a hash of 32 bytes');
}
