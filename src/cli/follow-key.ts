import {
  checkTlogProof,
  followHandOvers,
  leafHash,
  openCheckpoint,
  type Policy,
  VerificationError,
} from '@behalf/verify';
import type { HandOversAnswer } from '#query';
import { get } from './api-client.ts';

/**
 * A policy with the key that a server's log is signed with now, where the served checkpoint bears the signature of none of the
 * policy's own keys and one of them led to it (`newKey`). Throws VerificationError.
 */
export async function followPolicy(server: URL, policy: Policy): Promise<{ policy: Policy; newKey?: string }> {
  const note = await (await get(server, '/log/checkpoint', 'text/plain')).text();
  const known = policy.logs.map(({ verifierKey }) => verifierKey);
  if (await isSignedByOne(note, known)) return { policy };
  for (const trusted of known) {
    const newKey = await followKey(server, trusted);
    if (newKey !== trusted) return { policy: { ...policy, logs: [...policy.logs, { verifierKey: newKey }] }, newKey };
  }
  return { policy }; // the check itself says what is wrong
}

async function isSignedByOne(note: string, verifierKeys: readonly string[]): Promise<boolean> {
  for (const verifierKey of verifierKeys) {
    try {
      await openCheckpoint(note, verifierKey);
      return true;
    } catch (error) {
      if (!(error instanceof VerificationError && error.code === 'unsigned')) throw error;
    }
  }
  return false;
}

/**
 * The key that signs a server's log now, for whoever trusts an earlier one: along the hand-overs that the server names, each
 * signed by the key before. Each must stand in the log as an entry under a checkpoint of the key it led to: a hand-over that
 * is shown to one verifier and kept from the others is none. Throws VerificationError.
 */
async function followKey(server: URL, pinned: string): Promise<string> {
  const { handOvers } = handOversOf(await (await get(server, '/api/v1/log/hand-overs')).json());
  const keys = await followHandOvers(
    pinned,
    handOvers.map(({ note }) => note),
  );
  const verifierKey = keys.at(-1) ?? pinned;
  for (const each of handOvers.slice(handOvers.length + 1 - keys.length)) await checkEntry(server, each, verifierKey);
  return verifierKey;
}

async function checkEntry(
  server: URL,
  { leafIndex, note }: HandOversAnswer['handOvers'][number],
  verifierKey: string,
): Promise<void> {
  const entry = new Uint8Array(await (await get(server, `/api/v1/entries/${leafIndex}`)).arrayBuffer());
  const proof = await (await get(server, `/api/v1/entries/${leafIndex}/proof`, 'text/plain')).text();
  const proven = await checkTlogProof({ proof, leaf: leafHash(entry), verifierKey });
  if (proven.index === BigInt(leafIndex) && handOverIn(entry) === note) return;
  throw new VerificationError('inclusion', `entry ${leafIndex} of the log is not the hand-over that the server shows`);
}

function handOverIn(entry: Uint8Array): unknown {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(entry));
  if (typeof value !== 'object' || value === null || !('change' in value)) return undefined;
  const { change } = value;
  return typeof change === 'object' && change !== null && 'handOver' in change ? change.handOver : undefined;
}

function handOversOf(value: unknown): HandOversAnswer {
  const list = typeof value === 'object' && value !== null && 'handOvers' in value ? value.handOvers : undefined;
  if (Array.isArray(list) && list.length <= 1000 && list.every(isHandOver)) return { handOvers: list };
  throw new VerificationError('malformed', 'hand-overs: expected a list of at most 1000 notes with their leaf indexes');
}

const isHandOver = (value: unknown): value is HandOversAnswer['handOvers'][number] =>
  typeof value === 'object' &&
  value !== null &&
  'leafIndex' in value &&
  typeof value.leafIndex === 'string' &&
  /^\d{1,19}$/.test(value.leafIndex) &&
  'note' in value &&
  typeof value.note === 'string';
