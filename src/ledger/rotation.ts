import { createHash } from 'node:crypto';
import { openHandOver } from '@behalf/verify';
import type { Database } from '#database';
import { encodeConfig, observationIdOf } from '#observation';
import { asLedgerErrors } from './database-error.ts';
import { LedgerError } from './errors.ts';
import type { Publisher } from './publisher.ts';
import type { Sequencer } from './sequencer.ts';
import type { SignerClient } from './signer-client.ts';
import { insertHandOver, selectHandOvers } from './sql/hand-over.ts';

export interface RotationParts {
  readonly database: Database;
  readonly logId: number;
  readonly origin: string;
  readonly sequencer: Sequencer;
  readonly publisher: Publisher;
  readonly signer: SignerClient;
}

/** What a rotation came to. */
export interface Rotated {
  readonly from: string; // verifier key
  readonly to: string; // verifier key
  readonly until: bigint; // POSIX seconds: the old key signs beside the new one until then
  readonly leafIndex: bigint; // of the entry that says so
}

/**
 * Hands the log to a new key. The signer makes the key and both keys sign the hand-over; from then on both sign checkpoints.
 * The hand-over becomes an entry, a checkpoint that both signed covers it, and then the new key takes over. A crash after
 * any step leaves both keys signing, and calling it again goes on from there with the same new key.
 */
export async function rotateKey(parts: RotationParts, until: bigint): Promise<Rotated> {
  const { database, logId, origin, publisher, signer } = parts;
  const note = await signer.prepareHandOver(origin, until);
  const handOver = await openHandOver(note);
  const leafIndex = await asLedgerErrors(async () => {
    const stored = (await selectHandOvers(database.pool('writer'), logId)).find((each) => each.note === note);
    return stored?.leafIndex ?? appendHandOver(parts, note);
  });
  await asLedgerErrors(() => insertHandOver(database.pool('writer'), logId, { leafIndex, note }));
  await publisher.publish();
  await signer.finishHandOver(origin);
  return { from: handOver.from, to: handOver.to, until: handOver.until, leafIndex };
}

/** The entry's id follows from the note: within the window of ids the same hand-over is stored once. */
async function appendHandOver({ sequencer }: RotationParts, note: string): Promise<bigint> {
  const { from, to, until } = await openHandOver(note);
  const time = String(BigInt(Date.now()) * 1_000_000n);
  const id = observationIdOf(until * 1_000_000_000n, createHash('sha256').update(note).digest('hex'));
  const change = { kind: 'log_key', from, to, handOver: note } as const;
  const [stored] = await sequencer.append([{ id, bytes: encodeConfig({ v: 1, kind: 'config', id, time, change }) }]);
  if (stored !== undefined && 'leafIndex' in stored) return stored.leafIndex;
  throw new LedgerError('failed', 'the hand-over was not sequenced; run behalf keys rotate again');
}
