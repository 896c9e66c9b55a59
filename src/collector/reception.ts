import { randomBytes } from 'node:crypto';
import type { Ledger } from '#ledger';
import { Accounting } from './account.ts';
import { Admission } from './admission.ts';
import { Alarm, type OnAlarm } from './alarm.ts';
import { SpanMemory } from './cause.ts';
import { Intake } from './intake.ts';

export interface CollectorOptions {
  readonly ledger: Pick<Ledger, 'append'>;
  /** Largest request body after decompression, in bytes. 64 MiB unless told, as OTLP recommends. */
  readonly maxBodyBytes?: number;
  /**
   * Most request bytes taken in and not yet answered, over all senders; 12 MiB unless told, which unfolds to some 25,000
   * spans. Beyond it requests are told to come again before anything is done for them; one alone is always let in.
   */
  readonly maxBytesInFlight?: number;
  /** Spans, records, attributes and links one request may unfold to. */
  readonly maxParts?: number;
  /** 32 secret bytes that name observations whose sender gave no id. Keep them: with others, a retry is stored twice. */
  readonly idKey?: Uint8Array;
  readonly accounting?: Accounting;
  /** Told why requests were answered 5xx; nothing of their content. */
  readonly onAlarm?: OnAlarm;
  /** Nanoseconds since the Unix epoch. */
  readonly now?: () => bigint;
}

export const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_BYTES_IN_FLIGHT = 12 * 1024 * 1024;
const MAX_PARTS = 1_000_000;

/** What every entrance to one collector shares, so that its limits hold over all of them together. */
export interface Reception {
  readonly intake: Intake;
  readonly admission: Admission;
  readonly accounting: Accounting;
  readonly alarm: Alarm;
  readonly maxBytes: number;
  /** Why nothing can be stored until an operator acts, while that is so. */
  readonly trouble: () => Error | undefined;
}

export function openReception(options: CollectorOptions): Reception {
  const accounting = options.accounting ?? new Accounting();
  const maxBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  const admission = new Admission(options.maxBytesInFlight ?? MAX_BYTES_IN_FLIGHT);
  const intake = new Intake({
    ledger: options.ledger,
    admission,
    accounting,
    memory: new SpanMemory(),
    idKey: idKeyOf(options.idKey),
    maxParts: options.maxParts ?? MAX_PARTS,
    now: options.now ?? (() => BigInt(Date.now()) * 1_000_000n),
  });
  return {
    intake,
    accounting,
    maxBytes,
    admission,
    trouble: () => intake.trouble,
    alarm: new Alarm(options.onAlarm ?? (() => undefined)),
  };
}

function idKeyOf(given: Uint8Array = randomBytes(32)): Uint8Array {
  if (given.length === 32) return given;
  throw new TypeError(`collector: idKey has ${given.length} bytes, expected 32`);
}
