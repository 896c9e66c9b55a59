import { hash } from 'node:crypto';
import { type HopObservation, observationIdOf } from '#observation';

/** What of an observation decides its id: not `received` and `cause`, which a retry has others of. */
export type Content = Omit<HopObservation, 'id' | 'time' | 'received' | 'cause'>;

/**
 * The id of an observation whose sender gave none: the same for the same content, with its keys in the same order, and
 * another for other content. Keyed, because the content names persons and the id stands in clear in the ledger: without
 * the key nobody can try names against it after the person was erased. `idKey`: 32 secret bytes as hex digits.
 */
export function idOfContent(content: Content, claimedTime: bigint, idKey: string): string {
  // A secret prefix is enough of a MAC: every key has one length, and the id shows 74 bits of the digest only. Measured
  // against createHmac, which prepares its key anew for each call: a fifth of all the work on a span.
  const digest = hash('sha256', `${idKey}${claimedTime}${JSON.stringify(content)}`, 'hex');
  return observationIdOf(claimedTime, digest);
}
