import { type ClearParty, type HopObservation, newObservationId, type Observation } from '#observation';

export const ALICE: ClearParty = {
  type: 'user',
  issuer: 'https://id.example',
  id: 'alice.liddell@wonderland.example',
  basis: 'token',
};
export const PLANNER: ClearParty = { type: 'ai_agent', issuer: 'https://id.example', id: 'planner', basis: 'token' };

/** A hop that someone called on Alice's behalf, with a fresh id. */
export function hop(given: Partial<HopObservation> = {}): HopObservation {
  return {
    v: 1,
    kind: 'hop',
    id: newObservationId(Date.now()),
    time: '1793439700000000000',
    received: '1793439700000000001',
    reporter: { service: 'books', authenticated: 'none' },
    source: { signal: 'log', vocabulary: 'behalf' },
    side: 'callee',
    transport: { protocol: 'http' },
    subject: ALICE,
    actors: [PLANNER],
    absent: {},
    anomalies: [],
    ...given,
  };
}

export const hops = (count: number, given: Partial<HopObservation> = {}): Observation[] =>
  Array.from({ length: count }, () => hop(given));

/** A token exchange that names a person in every place that can hold one. */
export function exchange(person: ClearParty): Observation {
  const { v, id, time, received, reporter, source, absent, anomalies } = hop();
  return {
    ...{ v, id, time, received, reporter, source, absent, anomalies },
    kind: 'exchange',
    tokenIn: '1'.repeat(64),
    tokenOut: '2'.repeat(64),
    subject: person,
    actors: [person],
    requester: person,
    decision: { outcome: 'permit' },
  };
}
