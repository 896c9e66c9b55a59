import type { Recorded } from '#chains';
import { checkEntry, type Entry, isConfigEntry, ObservationError } from '#observation';

/** Entries as the ledger holds them, in order, none left out. */
export type Batch = readonly { readonly leafIndex: bigint; readonly bytes: Uint8Array }[];

export interface Unread {
  readonly leafIndex: bigint;
  readonly reason: string;
}

export interface Reading {
  readonly entries: readonly Recorded[];
  readonly unread: readonly Unread[];
}

/**
 * An entry of another schema's making does not stop the others: it is counted, and stays in the ledger. An administrative one
 * stands in no chain.
 */
export function readBatch(batch: Batch): Reading {
  const entries: Recorded[] = [];
  const unread: Unread[] = [];
  for (const { leafIndex, bytes } of batch) {
    try {
      const value = parseJson(bytes);
      if (!isConfigEntry(value)) entries.push({ leafIndex, entry: checkEntry(value) });
    } catch (error) {
      if (!(error instanceof ObservationError)) throw error;
      unread.push({ leafIndex, reason: error.message });
    }
  }
  return { entries, unread };
}

/** Bytes whose entry was read and checked when it was projected: ledger entries do not change. */
export const known = (bytes: Uint8Array): Entry => JSON.parse(strictUtf8.decode(bytes)) as Entry;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether the bytes are the canonical form is fsck's to judge: it changes nothing of what they say. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(strictUtf8.decode(bytes));
  } catch (cause) {
    throw new ObservationError('entry bytes are not JSON in UTF-8', { cause });
  }
}
