import type { Checkpoint } from '@behalf/verify';
import type { Database } from '#database';
import type { Observation } from '#observation';
import { Anchor, type AnchorSettings } from './anchor.ts';
import type { Pending, Sequenced } from './batch.ts';
import { asLedgerErrors } from './database-error.ts';
import { type Encoded, EntryEncoder } from './entry-encoder.ts';
import { LedgerError } from './errors.ts';
import { makeKeyFolder } from './key-file.ts';
import type { KeySource } from './key-ring.ts';
import type { OpenedLog } from './open-log.ts';
import { openSigning } from './open-signing.ts';
import { openPersonKeys } from './person-keys.ts';
import { Persons } from './persons.ts';
import { Publisher } from './publisher.ts';
import { type Limits, type Place, Room } from './room.ts';
import { type Rotated, rotateKey } from './rotation.ts';
import { Sequencer } from './sequencer.ts';
import type { SignerClient } from './signer-client.ts';
import { Witnesses, type WitnessSettings } from './witnesses.ts';

/** What became of one observation. */
export type Appended = Sequenced;

export interface Ledger {
  readonly logId: number;
  readonly origin: string;
  /** What whoever checks this log must know (C2SP signed-note "vkey"). */
  readonly verifierKey: string;
  /**
   * Sequences observations, in order; resolves when each is durable or refused by itself (schema, size), one answer for
   * each. Rejects with LedgerError when that is not known of all: send the whole call again, what was stored is not
   * stored twice.
   */
  append(observations: readonly Observation[]): Promise<readonly Appended[]>;
  /**
   * Signs and stores a checkpoint that covers everything sequenced before the call. Throws LedgerError; where this server
   * does not sign, TypeError.
   */
  publish(): Promise<Checkpoint>;
  /**
   * Hands the log to a new key, which the signer makes; the old one signs beside it until that moment (POSIX seconds).
   * Called again after trouble it goes on where it was. Throws LedgerError, `key` where the key is kept elsewhere.
   */
  rotateKey(until: bigint): Promise<Rotated>;
  /** Refuses new calls, sequences what waits, and publishes it where this server signs. */
  close(): Promise<void>;
}

export interface LedgerOptions {
  readonly database: Database;
  /** Holds the signer's state, its key unless that is elsewhere, and the persons' master key; made when it is not there. */
  readonly keyFolder: string;
  /** The log's name, for ever; a random one under behalf.local when not given. */
  readonly origin?: string;
  readonly logId?: number;
  /** Where the log's private key is; a file of the key folder unless told. */
  readonly key?: KeySource;
  /** False: this server sequences only, and another one signs. */
  readonly signs?: boolean;
  readonly publishIntervalMs?: number;
  /** Who cosigns checkpoints before they are published. */
  readonly witnesses?: WitnessSettings;
  /** Where checkpoints are kept aside, and how often. */
  readonly anchor?: AnchorSettings;
  /** How many hours (24..8784, 24 when not given) an observation sent again is recognised; whole days: up to a day more. */
  readonly idWindowHours?: number;
  /** What may wait to be sequenced; beyond it `append` rejects with `overloaded`. */
  readonly waiting?: Limits;
  /** Told of trouble nobody else is told of: once for each kind, until it is over. */
  readonly onAlarm: (error: unknown) => void;
}

/**
 * Opens a log for writing and, where this server signs, starts to publish it. What was signed and not stored before a
 * crash is stored now, and what was stored since the last signature is read back. Throws LedgerError: `key`, `mismatch`,
 * `rollback`, `rewritten`, `corrupt`, `unavailable`; nothing is appended or signed then.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { database, keyFolder, logId = 1 } = options;
  await makeKeyFolder(keyFolder);
  const personKeys = await openPersonKeys(keyFolder);
  const { log, signer } = await openSigning({
    database,
    logId,
    keyFolder,
    origin: options.origin,
    source: options.key ?? { kind: 'file' },
    signs: options.signs ?? true,
    personsCheck: personKeys.check,
    onAlarm: options.onAlarm,
  });
  const sequencer = new Sequencer({ database, logId, windowHours: options.idWindowHours ?? 24 });
  const publisher = signer && (await startPublisher(options, { log, signer, onFatal: (e) => sequencer.halt(e) }));
  const { origin, currentKey: verifierKey } = log;
  const encoder = new EntryEncoder(new Persons({ logId, origin }, personKeys));
  const room = new Room(options.waiting ?? { entries: 16_384, bytes: 64 * 2 ** 20 });
  return new OpenLedger({ database, logId, origin, verifierKey, sequencer, signer, publisher, encoder, room });
}

/** The signer is closed where publishing cannot begin. */
async function startPublisher(options: LedgerOptions, parts: Parameters<typeof publisherOf>[1]): Promise<Publisher> {
  try {
    const publisher = publisherOf(options, parts);
    await publishFirst(publisher, options.onAlarm);
    publisher.start();
    return publisher;
  } catch (error) {
    await parts.signer.close();
    throw error;
  }
}

function publisherOf(
  { database, logId = 1, onAlarm, witnesses, anchor, publishIntervalMs = 1000 }: LedgerOptions,
  { log, signer, onFatal }: { log: OpenedLog; signer: SignerClient; onFatal: (error: LedgerError) => void },
): Publisher {
  return new Publisher({
    database,
    logId,
    signer: signer.of(log.origin),
    intervalMs: publishIntervalMs,
    ...(witnesses === undefined ? {} : { witnesses: new Witnesses(witnesses, log.currentKey, onAlarm) }),
    ...(anchor === undefined ? {} : { anchor: new Anchor(anchor) }),
    onAlarm,
    onFatal,
  });
}

/** What keeps only a checkpoint back keeps no observation back. */
const LATER: readonly string[] = ['unwitnessed', 'unsigned'];

/** Observations are taken in whether or not witnesses and signer answer: what waits for them is only the checkpoint. */
async function publishFirst(publisher: Publisher, onAlarm: LedgerOptions['onAlarm']): Promise<void> {
  try {
    await publisher.publish();
  } catch (error) {
    if (!(error instanceof LedgerError && LATER.includes(error.code))) throw error;
    onAlarm(error);
  }
}

interface Parts {
  readonly database: Database;
  readonly logId: number;
  readonly origin: string;
  readonly verifierKey: string;
  readonly sequencer: Sequencer;
  readonly signer: SignerClient | undefined;
  readonly publisher: Publisher | undefined;
  readonly encoder: EntryEncoder;
  readonly room: Room;
}

class OpenLedger implements Ledger {
  readonly logId: number;
  readonly origin: string;
  readonly verifierKey: string;
  readonly #parts: Parts;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.logId = parts.logId;
    this.origin = parts.origin;
    this.verifierKey = parts.verifierKey;
    this.#parts = parts;
  }

  async append(observations: readonly Observation[]): Promise<readonly Appended[]> {
    if (observations.length === 0) return [];
    const place = this.#parts.room.enter(observations.length);
    try {
      return await this.#append(observations, place);
    } finally {
      place.leave();
    }
  }

  async publish(): Promise<Checkpoint> {
    if (this.#parts.publisher !== undefined) return this.#parts.publisher.publish();
    throw new TypeError('publish: this server does not sign');
  }

  async rotateKey(until: bigint): Promise<Rotated> {
    const { publisher, signer } = this.#parts;
    if (publisher === undefined || signer === undefined) throw new TypeError('rotateKey: this server does not sign');
    return rotateKey({ ...this.#parts, publisher, signer }, until);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { sequencer, publisher, signer } = this.#parts;
    await sequencer.close();
    await publisher?.close();
    await signer?.close();
  }

  async #append(observations: readonly Observation[], place: Place): Promise<readonly Appended[]> {
    const { database, encoder, sequencer } = this.#parts;
    const encoded = await asLedgerErrors(() => encoder.encode(observations, database.pool('writer')));
    const entries = encoded.flatMap((each) => (each.kind === 'encoded' ? [each.entry] : []));
    place.weigh(entries.reduce((sum, { bytes }) => sum + bytes.length, 0));
    const sequenced = await Promise.all(transactionsOf(entries).map((part) => sequencer.append(part)));
    return answers(encoded, sequenced.flat());
  }
}

/** Most entries and bytes of a call in one transaction. */
const PART = { entries: 4096, bytes: 4 * 2 ** 20 };

/** Cuts a large call, so that no transaction is long. */
function transactionsOf(entries: readonly Pending[]): Pending[][] {
  const parts: Pending[][] = [];
  let [part, bytes]: [Pending[], number] = [[], 0];
  for (const entry of entries) {
    if (part.length === 0 || part.length >= PART.entries || bytes + entry.bytes.length > PART.bytes) {
      [part, bytes] = [[], 0];
      parts.push(part);
    }
    part.push(entry);
    bytes += entry.bytes.length;
  }
  return parts;
}

/** Puts results back in the order of the call. */
function answers(encoded: readonly Encoded[], sequenced: readonly Sequenced[]): Appended[] {
  let at = 0;
  return encoded.map((each) => {
    if (each.kind === 'refused') return each;
    const result = sequenced[at++];
    if (result === undefined) throw new TypeError('ledger: fewer results than entries');
    return result;
  });
}
