import type { ClearParty, Entry, EntryParty, Observation, RevocationObservation } from '#observation';
import type { Side } from './address.ts';

/** How parties and addresses are written into an entry. */
export interface Sealing {
  readonly party: (party: ClearParty) => EntryParty;
  readonly address: (address: string, side: Side) => string;
}

/** The observation as its entry holds it: the same, with every party and address written by `sealing`. */
export function sealEntry(observation: Observation, sealing: Sealing): Entry {
  const { party } = sealing;
  if (observation.kind === 'revocation') return sealRevocation(observation, party);
  const actors = observation.actors.map(party);
  if (observation.kind === 'exchange') {
    const { subject, requester, ...rest } = observation;
    return {
      ...rest,
      actors,
      ...(subject === undefined ? {} : { subject: party(subject) }),
      ...(requester === undefined ? {} : { requester: party(requester) }),
    };
  }
  const { subject, initiator, peer, transport, ...rest } = observation;
  return {
    ...rest,
    actors,
    transport: sealTransport(transport, observation.side, sealing),
    ...(subject === undefined ? {} : { subject: party(subject) }),
    ...(initiator === undefined ? {} : { initiator: party(initiator) }),
    ...(peer === undefined ? {} : { peer: party(peer) }),
  };
}

function sealRevocation(observation: RevocationObservation, party: Sealing['party']): Entry {
  const { target, ...rest } = observation;
  return { ...rest, target: 'party' in target ? { party: party(target.party) } : target };
}

type Transport = Extract<Observation, { kind: 'hop' }>['transport'];

function sealTransport(transport: Transport, side: Side, { address }: Sealing): Transport {
  const { peerAddress } = transport;
  return peerAddress === undefined ? transport : { ...transport, peerAddress: address(peerAddress, side) };
}
