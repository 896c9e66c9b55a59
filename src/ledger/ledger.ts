import type { Checkpoint } from '@behalf/verify';
import type { Database } from '#database';
import type { Observation } from '#observation';
import { Anchor, type AnchorSettings } from './anchor.ts';
import { asLedgerErrors } from './database-error.ts';
import { type Encoded, encodeObservations } from './entry-encoder.ts';
import { LedgerError } from './errors.ts';
import { makeKeyFolder } from './key-file.ts';
import { openLog } from './open-log.ts';
import { openPersonKeys } from './person-keys.ts';
import { Persons } from './persons.ts';
import { Publisher } from './publisher.ts';
import { type Limits, type Place, Room } from './room.ts';
import { type Pending, type Sequenced, Sequencer } from './sequencer.ts';
import { hasSignerState, Signer } from './signer.ts';
import { SigningKey } from './signing-key.ts';
import { Witnesses, type WitnessSettings } from './witnesses.ts';

/** What became of one observation. */
export type Appended =
  | { readonly kind: 'sequenced'; readonly leafIndex: bigint; readonly duplicate: boolean }
  | { readonly kind: 'refused'; readonly reason: string };

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
  /** Signs and stores a checkpoint that covers everything sequenced before the call. Throws LedgerError. */
  publish(): Promise<Checkpoint>;
  /** Refuses new calls, sequences what waits, publishes it. */
  close(): Promise<void>;
}

export interface LedgerOptions {
  readonly database: Database;
  /** Holds the signer's key and state and the persons' master key; made when it is not there. */
  readonly keyFolder: string;
  /** The log's name, for ever; a random one under behalf.local when not given. */
  readonly origin?: string;
  readonly logId?: number;
  readonly publishIntervalMs?: number;
  /** Who cosigns checkpoints before they are published. */
  readonly witnesses?: WitnessSettings;
  /** Where checkpoints are kept aside, and how often. */
  readonly anchor?: AnchorSettings;
  /** What may wait to be sequenced; beyond it `append` rejects with `overloaded`. */
  readonly waiting?: Limits;
  /** Told of trouble nobody else is told of: once for each kind, until it is over. */
  readonly onAlarm: (error: unknown) => void;
}

/**
 * Opens a log for writing and starts to publish it. What was signed and not stored before a crash is stored now, and what
 * was stored since the last signature is read back. Throws LedgerError: `key`, `mismatch`, `rollback`, `rewritten`,
 * `corrupt`, `unavailable`; nothing is appended or signed then.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { database, keyFolder, logId = 1 } = options;
  await makeKeyFolder(keyFolder);
  const key = await SigningKey.open(keyFolder);
  const personKeys = await openPersonKeys(keyFolder);
  const hasSigned = await hasSignerState(keyFolder);
  const { origin } = await asLedgerErrors(() =>
    openLog(database, logId, {
      origin: options.origin,
      verifierKey: (name) => key.verifierKey(name),
      personsCheck: personKeys.check,
      hasSigned,
    }),
  );
  const { onAlarm, witnesses, anchor } = options;
  const sequencer = new Sequencer({ database, logId });
  const publisher = new Publisher({
    database,
    logId,
    signer: new Signer(keyFolder, origin, key),
    intervalMs: options.publishIntervalMs ?? 1000,
    ...(witnesses === undefined ? {} : { witnesses: new Witnesses(witnesses, key.verifierKey(origin), onAlarm) }),
    ...(anchor === undefined ? {} : { anchor: new Anchor(anchor) }),
    onAlarm,
    onFatal: (error) => sequencer.halt(error),
  });
  await publishFirst(publisher, onAlarm);
  publisher.start();
  const persons = new Persons({ logId, origin }, personKeys);
  const room = new Room(options.waiting ?? { entries: 16_384, bytes: 64 * 2 ** 20 });
  return new OpenLedger({
    database,
    logId,
    origin,
    verifierKey: key.verifierKey(origin),
    sequencer,
    publisher,
    persons,
    room,
  });
}

/** Observations are taken in whether or not witnesses answer: what waits for them is only the checkpoint. */
async function publishFirst(publisher: Publisher, onAlarm: LedgerOptions['onAlarm']): Promise<void> {
  try {
    await publisher.publish();
  } catch (error) {
    if (!(error instanceof LedgerError && error.code === 'unwitnessed')) throw error;
    onAlarm(error);
  }
}

interface Parts {
  readonly database: Database;
  readonly logId: number;
  readonly origin: string;
  readonly verifierKey: string;
  readonly sequencer: Sequencer;
  readonly publisher: Publisher;
  readonly persons: Persons;
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

  publish(): Promise<Checkpoint> {
    return this.#parts.publisher.publish();
  }

  close(): Promise<void> {
    this.#closing ??= this.#parts.sequencer.close().then(() => this.#parts.publisher.close());
    return this.#closing;
  }

  async #append(observations: readonly Observation[], place: Place): Promise<readonly Appended[]> {
    const { database, persons, sequencer } = this.#parts;
    const encoded = await asLedgerErrors(() => encodeObservations(observations, persons, database.pool('writer')));
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
    return { kind: 'sequenced', ...result };
  });
}
