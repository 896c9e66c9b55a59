import { hash } from 'node:crypto';
import { type HopObservation, observationIdOf } from '#observation';

/** An observation before it has its id. */
export type Unnamed = Omit<HopObservation, 'id'>;

/**
 * The id of an observation whose sender gave none: the same for the same content, another for other content. `received`
 * and `cause` do not count: a retry has other ones. Keyed, because the content names persons and the id stands in clear
 * in the ledger: without the key nobody can try names against it after the person was erased.
 */
export function nameObservation(unnamed: Unnamed, claimedTime: bigint, idKey: Uint8Array): HopObservation {
  const { received: _received, cause: _cause, time: _time, ...content } = unnamed;
  // A secret prefix is enough of a MAC: every key has one length, and the id shows 74 bits of the digest only. Measured
  // against createHmac, which prepares its key anew for each call: a fifth of all the work on a span.
  const digest = hash('sha256', `${hexOf(idKey)}${claimedTime}${JSON.stringify(content)}`, 'buffer');
  return { ...unnamed, id: observationIdOf(String(claimedTime), digest) };
}

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
