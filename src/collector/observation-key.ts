import { createHmac } from 'node:crypto';
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
  const digest = createHmac('sha256', idKey).update(String(claimedTime)).update(JSON.stringify(content)).digest();
  return { ...unnamed, id: observationIdOf(String(claimedTime), digest) };
}
