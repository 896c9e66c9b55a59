import type { Entry, Observation } from './observation.ts';
import type { ClearParty, EntryParty } from './party.ts';

/** Everyone an observation names, in clear; or an entry, persons sealed. In no order that means anything. */
export function partiesIn(observation: Observation): readonly ClearParty[];
export function partiesIn(entry: Entry): readonly EntryParty[];
export function partiesIn(each: Observation | Entry): readonly EntryParty[] {
  return namedIn(each).filter((party) => party !== undefined);
}

function namedIn(each: Observation | Entry): readonly (EntryParty | undefined)[] {
  switch (each.kind) {
    case 'hop':
      return [each.subject, each.initiator, each.peer, ...each.actors];
    case 'exchange':
      return [each.subject, each.requester, ...each.actors];
    case 'revocation':
      return 'party' in each.target ? [each.target.party] : [];
  }
}
