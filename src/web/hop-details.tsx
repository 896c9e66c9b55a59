import type { Chain, Hop } from '#chains';
import type { PartyView } from '#query';
import { AuthorityFacts, Path } from './authority.tsx';
import { EntryCheck } from './entry-check.tsx';
import { Facts, FindingBody } from './findings.tsx';
import { GapChip, GradeWord } from './grade.tsx';
import { PartyLines } from './party.tsx';
import { ReachLinks } from './reach-links.tsx';
import { Fact, Name, Sentence } from './shown.tsx';
import { formatInstant, formatLocal } from './time.ts';
import { VerdictBadge } from './verdict.tsx';

interface HopProps {
  readonly chain: Chain<PartyView>;
  readonly hop: Hop<PartyView>;
}

/** Everything known of one hop: what it amounts to, why it stands where it stands, and what both sides said. */
export const HopDetails = ({ chain, hop }: HopProps) => (
  <section class="card details" id="hop-details" aria-labelledby="details-title" aria-live="polite">
    <header class="card-head">
      <h2 id="details-title">
        <Path hop={hop} />
      </h2>
      <VerdictBadge verdict={hop.verdict} />
    </header>
    <p>
      <Sentence text={hop.reason} />
    </p>
    <WhatHappened hop={hop} />
    <h3>How sure</h3>
    <HowSure chain={chain} hop={hop} />
    <FindingsHere chain={chain} hop={hop} />
    <h3>Who</h3>
    <Who hop={hop} />
    <h3>Authority</h3>
    <AuthorityFacts hop={hop} />
    <h3>How far it goes</h3>
    <ReachLinks hop={hop} />
    <h3>What both sides said</h3>
    <Side name="Caller" entries={hop.kind === 'local' ? null : hop.callerEntries} />
    <Side name={hop.kind === 'local' ? 'The service itself' : 'Callee'} entries={hop.calleeEntries} />
    {hop.disagreements.length === 0 ? null : (
      <>
        <h4>They disagree</h4>
        <Facts facts={hop.disagreements} />
      </>
    )}
  </section>
);

const WhatHappened = ({ hop }: { hop: Hop<PartyView> }) => (
  <dl class="facts">
    <Fact term="operation">{hop.operation === null ? null : <Name text={hop.operation} />}</Fact>
    <Fact term="resource">{hop.resource === null ? null : <Name text={hop.resource} />}</Fact>
    <Fact term="protocol">{hop.protocol}</Fact>
    <Fact term="time, as claimed">
      <time dateTime={formatInstant(hop.time)} title={formatInstant(hop.time)}>
        {formatLocal(hop.time)}
      </time>
    </Fact>
    <Fact term="decision">
      {hop.decision ? (
        <>
          {hop.decision.outcome}
          {hop.decision.reason === undefined ? null : (
            <>
              : <Sentence text={hop.decision.reason} />
            </>
          )}
        </>
      ) : null}
    </Fact>
    <Fact term="outcome">
      {hop.outcome ? (
        <>
          {hop.outcome.status} {hop.outcome.code === undefined ? null : <Name text={hop.outcome.code} />}
        </>
      ) : null}
    </Fact>
    <Fact term="trace">
      {hop.trace === null ? null : (
        <span class="mono small">
          {hop.trace.traceId} / {hop.trace.spanId}
        </span>
      )}
    </Fact>
  </dl>
);

function HowSure({ chain, hop }: HopProps) {
  const links = chain.links.filter((link) => link.to === hop.id);
  const gaps = chain.gaps.filter((gap) => gap.hop === hop.id);
  const source = (id: string) => chain.hops.find((other) => other.id === id);
  return (
    <>
      <p class="graded">
        The {hop.kind === 'local' ? 'step' : 'crossing'}: <GradeWord grade={hop.grade} />
      </p>
      <Facts facts={hop.rests} />
      {links.map((link) => (
        <div key={link.from}>
          <p class="graded">
            {link.grade === 'ambiguous' ? 'May have been led to by ' : 'Led to by '}
            <Led hop={source(link.from)} />: <GradeWord grade={link.grade} />
          </p>
          <Facts facts={link.rests} />
        </div>
      ))}
      {gaps.map((gap) => (
        <p key={gap.kind} class="gap-line">
          <GapChip kind={gap.kind} /> <Sentence text={gap.says} />
        </p>
      ))}
      {links.length === 0 && gaps.length === 0 && hop.from === null ? (
        <p class="hint">The chain enters here from outside.</p>
      ) : null}
    </>
  );
}

const Led = ({ hop }: { hop: Hop<PartyView> | undefined }) =>
  hop === undefined ? <span class="muted">a hop of another chain</span> : <Path hop={hop} />;

function FindingsHere({ chain, hop }: HopProps) {
  const findings = chain.findings.filter((finding) => finding.hop === hop.id);
  if (findings.length === 0) return null;
  return (
    <>
      <h3>Found here</h3>
      <ul class="findings">
        {findings.map((finding, i) => (
          <li key={`${finding.rule} ${i}`}>
            <FindingBody finding={finding} />
          </li>
        ))}
      </ul>
    </>
  );
}

const Who = ({ hop }: { hop: Hop<PartyView> }) => (
  <dl class="facts">
    <Fact term="subject">
      {hop.subject === null ? <span class="muted">not stated</span> : <PartyLines party={hop.subject} />}
    </Fact>
    <Fact term="initiator">{hop.initiator === null ? null : <PartyLines party={hop.initiator} />}</Fact>
    {hop.actors.map((actor, i) => (
      <Fact key={`${i} ${actor.key}`} term={`actor ${i + 1}`}>
        <PartyLines party={actor} />
      </Fact>
    ))}
    <Fact term="peer">{hop.peer === null ? null : <PartyLines party={hop.peer} />}</Fact>
  </dl>
);

const Side = ({ name, entries }: { name: string; entries: readonly string[] | null }) =>
  entries === null ? null : (
    <div class="side">
      <h4>{name}</h4>
      {entries.length === 0 ? <p class="muted">reported nothing</p> : null}
      {entries.map((index) => (
        <EntryCheck key={index} index={index} />
      ))}
    </div>
  );
