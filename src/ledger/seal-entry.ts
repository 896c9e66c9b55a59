import type { ClearParty, Entry, EntryParty, Observation } from '#observation';
import type { Side } from './address.ts';

/** How parties and addresses are written into an entry. */
export interface Sealing {
  readonly party: (party: ClearParty) => EntryParty;
  readonly address: (address: string, side: Side) => string;
}

/** Everyone an observation names. */
export function partiesOf(observation: Observation): ClearParty[] {
  const named =
    observation.kind === 'hop'
      ? [observation.subject, observation.initiator, observation.peer]
      : [observation.subject, observation.requester];
  return [...named.filter((party) => party !== undefined), ...observation.actors];
}

/** The observation as its entry holds it: the same, with every party and address written by `sealing`. */
export function sealEntry(observation: Observation, sealing: Sealing): Entry {
  const { party } = sealing;
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

type Transport = Extract<Observation, { kind: 'hop' }>['transport'];

function sealTransport(transport: Transport, side: Side, { address }: Sealing): Transport {
  const { peerAddress } = transport;
  return peerAddress === undefined ? transport : { ...transport, peerAddress: address(peerAddress, side) };
}
