import type {
  ClearParty,
  Entry,
  EntryParty,
  ExchangeEntry,
  HopEntry,
  HopObservation,
  Observation,
  RevocationObservation,
} from '#observation';
import type { Side } from './address.ts';

/** How parties and addresses are written into an entry. */
export interface Sealing {
  readonly party: (party: ClearParty) => EntryParty;
  readonly address: (address: string, side: Side) => string;
}

/** The observation as its entry holds it: the same, with every party and address written by `sealing`. */
export function sealEntry(observation: Observation, sealing: Sealing): Entry {
  const { party } = sealing;
  switch (observation.kind) {
    case 'hop':
      return sealHop(observation, sealing);
    case 'exchange': {
      const entry: Mutable<ExchangeEntry> = { ...observation, actors: observation.actors.map(party) };
      if (observation.subject !== undefined) entry.subject = party(observation.subject);
      if (observation.requester !== undefined) entry.requester = party(observation.requester);
      return entry;
    }
    case 'revocation':
      return sealRevocation(observation, party);
  }
}

/** A copy whole and changed in place: half the time of one put together of parts. */
function sealHop(observation: HopObservation, { party, address }: Sealing): HopEntry {
  const entry: Mutable<HopEntry> = { ...observation };
  const { subject, initiator, peer, transport } = observation;
  if (observation.actors.length > 0) entry.actors = observation.actors.map(party);
  if (subject !== undefined) entry.subject = party(subject);
  if (initiator !== undefined) entry.initiator = party(initiator);
  if (peer !== undefined) entry.peer = party(peer);
  if (transport.peerAddress !== undefined)
    entry.transport = { ...transport, peerAddress: address(transport.peerAddress, observation.side) };
  return entry;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function sealRevocation(observation: RevocationObservation, party: Sealing['party']): Entry {
  const { target, ...rest } = observation;
  return { ...rest, target: 'party' in target ? { party: party(target.party) } : target };
}
