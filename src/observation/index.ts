/**
 * What one reporter says of one hop or exchange, and its exact bytes in the ledger. The schema is closed and versioned;
 * an entry's bytes are the RFC 8785 form of it and are kept verbatim. Proven by test/observation.
 */

export type { Authority, Verification, VerificationStatus } from './authority.ts';
export type { ConfigEntry } from './config.ts';
export { encodeConfig, isConfigEntry, parseConfig } from './config.ts';
export { encodeEntry, MAX_ENTRY_BYTES, parseEntry } from './entry.ts';
export type {
  Anomaly,
  Entry,
  ExchangeEntry,
  ExchangeObservation,
  HopEntry,
  HopObservation,
  Observation,
  Reporter,
  RevocationEntry,
  RevocationObservation,
  SpanRef,
  Trace,
} from './observation.ts';
export { MAX_ACTORS, OBSERVATION_VERSION } from './observation.ts';
export { newObservationId, observationIdOf } from './observation-id.ts';
export { checkEntry, ObservationError, parseObservation } from './parse.ts';
export { partiesIn } from './parties-in.ts';
export type { Basis, ClearParty, EntryParty, SealedPerson } from './party.ts';
export { isPersonal, PartyType } from './party.ts';
