import type { EntryParty } from '#observation';
import type { History, PartyBefore } from './history.ts';
import type { UnjudgedHop } from './hop.ts';
import { partyKey } from './party-key.ts';

/** The boundary let the call pass, by its decision or, where it reports none, by how the call ended. */
export const hasPassed = (hop: UnjudgedHop): boolean =>
  hop.decision?.outcome === 'permit' || (hop.decision === null && hop.outcome?.status === 'ok');

export const isMachine = ({ type }: EntryParty): boolean => type !== 'user' && type !== 'unknown';

/** Who acts in a hop and is no person. */
export function machineIn(hop: UnjudgedHop): EntryParty | undefined {
  const party = hop.actors.at(-1) ?? hop.subject ?? undefined;
  return party !== undefined && isMachine(party) ? party : undefined;
}

/** A machine that acts in a hop, with what it did before. */
export interface Acting {
  readonly hop: UnjudgedHop;
  readonly party: EntryParty;
  readonly key: string; // of the party
  readonly before: PartyBefore;
}

/** The machines that act in these hops and of which something is known from before, in order of the hops. */
export const actingIn = (hops: readonly UnjudgedHop[], history: History): readonly Acting[] =>
  history.knowsParties
    ? hops.flatMap((hop) => {
        const party = machineIn(hop);
        const key = party && partyKey(party);
        const before = key === undefined ? undefined : history.partyBefore(key);
        return party === undefined || key === undefined || before === undefined ? [] : [{ hop, party, key, before }];
      })
    : [];
