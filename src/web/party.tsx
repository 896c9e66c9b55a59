import type { PartyView } from '#query';
import { Name } from './shown.tsx';

const TYPES: Record<PartyView['type'], string> = {
  user: 'user',
  service: 'service',
  ai_agent: 'AI agent',
  device: 'device',
  unknown: 'party',
};

/** How an identity came to be known, in words. */
const BASES: Record<PartyView['basis'], string> = {
  proof: 'proved possession of its key',
  token: 'named by a verified token',
  assertion: 'named by a signed assertion',
  header: 'named by an unsigned header',
  attribute: 'named by the program itself',
  resource: 'named by its own resource attributes',
  unverified: 'named by a token nobody verified',
};

/** A party: what it is and its id, exactly. A person whose name is sealed or erased stands as their reference. */
export const PartyName = ({ party }: { party: PartyView }) => (
  <span class={`party ${party.type}`} title={titleOf(party)}>
    <span class="party-type">{TYPES[party.type]}</span>{' '}
    {party.id === null ? (
      <>
        <Name text={`${party.key.slice(0, 10)}…`} mono />
        <span class="muted"> (name erased or sealed)</span>
      </>
    ) : (
      <Name text={party.id} />
    )}
  </span>
);

/** A party with its issuer and how it is known. */
export const PartyLines = ({ party }: { party: PartyView }) => (
  <span class="party-lines">
    <PartyName party={party} />
    <span class="muted small">
      {BASES[party.basis]}
      {party.issuer === null ? null : (
        <>
          , by <Name text={party.issuer} />
        </>
      )}
    </span>
  </span>
);

const titleOf = ({ basis, issuer }: PartyView): string => BASES[basis] + (issuer === null ? '' : `, by ${issuer}`);
