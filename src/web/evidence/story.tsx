import type { Chain, Hop } from '#chains';
import type { PartyView } from '#query';
import { Delegation } from '../delegation.tsx';
import { GAP_WORDS, GRADE_MEANINGS } from '../grade.tsx';
import { PartyName } from '../party.tsx';
import { Digest, Name, Sentence } from '../shown.tsx';
import { formatInstant, formatLocal } from '../time.ts';
import { SeverityBadge, VerdictBadge } from '../verdict.tsx';

/** One chain in plain words: the judgement, whose authority, what happened in order, what stands out, what is missing. */
export const ChainStory = ({ chain }: { chain: Chain<PartyView> }) => (
  <>
    <section class={`card edge-${chain.verdict}`} aria-label="what it amounts to">
      <div class="head-line">
        <VerdictBadge verdict={chain.verdict} />
        <h2>
          <Sentence text={chain.reason} />
        </h2>
      </div>
      <p class="hint">
        Judged here, by Behalf’s rules, from the entries of this file alone; entries that are not in it could change the
        picture. <Sentence text={`As to what is missing: ${chain.completeness.says}.`} />
      </p>
    </section>
    <Delegation chain={chain} />
    <section class="card" aria-labelledby={`steps-${chain.id}`}>
      <h2 id={`steps-${chain.id}`}>What happened</h2>
      {chain.hops.length === 0 ? <p class="hint">No call was observed, only exchanges of tokens.</p> : null}
      <ol class="steps">
        {chain.hops.map((hop) => (
          <Step key={hop.id} chain={chain} hop={hop} />
        ))}
      </ol>
      <Exchanges chain={chain} />
    </section>
    <Findings chain={chain} />
  </>
);

function Step({ chain, hop }: { chain: Chain<PartyView>; hop: Hop<PartyView> }) {
  const gaps = chain.gaps.filter((gap) => gap.hop === hop.id);
  return (
    <li class={`step edge-${hop.kind === 'local' ? 'unknown' : hop.verdict}`}>
      <p class="step-says">
        <What hop={hop} />
      </p>
      <OnBehalf hop={hop} />
      <ByAuthority hop={hop} />
      <p class="small step-foot">
        {hop.kind === 'local' ? null : <VerdictBadge verdict={hop.verdict} />}
        {hop.kind === 'local' ? null : (
          <span>
            <strong>{hop.grade}</strong>: {GRADE_MEANINGS[hop.grade]}
          </span>
        )}
        <time dateTime={formatInstant(hop.time)} title={formatInstant(hop.time)}>
          {formatLocal(hop.time)}
        </time>{' '}
        <EntryAnchors entries={[...hop.callerEntries, ...hop.calleeEntries]} />
      </p>
      {gaps.map((gap) => (
        <p key={gap.kind} class="small incomplete">
          {GAP_WORDS[gap.kind]}: <Sentence text={gap.says} />
        </p>
      ))}
    </li>
  );
}

function What({ hop }: { hop: Hop<PartyView> }) {
  const end = (service: Hop['from'], none: string) => (service === null ? none : <Name text={service.name} />);
  const what =
    hop.operation === null ? null : (
      <>
        :{' '}
        <strong>
          <Name text={hop.operation} />
        </strong>
      </>
    );
  if (hop.kind === 'local') {
    return (
      <>
        {end(hop.from ?? hop.to, 'Somebody')} took a step within itself{what}
      </>
    );
  }
  return (
    <>
      {end(hop.from, 'Somebody who was not observed')} called {end(hop.to, 'somebody who was not observed')}
      {what}
      {hop.resource === null ? null : (
        <>
          {' '}
          on <Name text={hop.resource} />
        </>
      )}
      {answered(hop)}
    </>
  );
}

/** What the callee decided and how it ended. */
function answered({ decision, outcome }: Hop<PartyView>): string {
  const decided =
    decision === null || decision === undefined
      ? ''
      : decision.outcome === 'permit'
        ? ', which was permitted'
        : ', which was refused';
  const ended = outcome?.status === 'error' ? ' and failed' : outcome?.status === 'ok' ? ' and succeeded' : '';
  return decided === '' ? ended.replace(' and', ', which') : `${decided}${ended}`;
}

const OnBehalf = ({ hop }: { hop: Hop<PartyView> }) =>
  hop.subject === null && hop.actors.length === 0 ? null : (
    <p>
      {hop.subject === null ? 'For nobody who was named' : 'On behalf of '}
      {hop.subject === null ? null : <PartyName party={hop.subject} />}
      {hop.actors.map((actor, i) => (
        <span key={`${i} ${actor.key}`}>
          {i === 0 ? ', by ' : ', then by '}
          <PartyName party={actor} />
        </span>
      ))}
      {hop.initiator === null ? null : (
        <>
          ; started by <PartyName party={hop.initiator} />
        </>
      )}
    </p>
  );

function ByAuthority({ hop: { authority, requiredScopes, verification } }: { hop: Hop<PartyView> }) {
  if (authority === null) return <p class="muted small">No credential was seen by either side.</p>;
  const checked =
    verification === null
      ? 'as the caller says it sent it'
      : {
          verified: 'verified by who was called',
          failed: 'which failed verification',
          unverified: 'which nobody verified',
          absent: 'but none came',
        }[verification.status];
  return (
    <p class="muted small">
      Under a token{' '}
      {authority.digest === undefined ? null : (
        <>
          <Digest hex={authority.digest} />{' '}
        </>
      )}
      {authority.issuer === undefined ? null : (
        <>
          of <Name text={authority.issuer} />{' '}
        </>
      )}
      {authority.scopes === undefined ? null : <>for {scopesIn(authority.scopes)}, </>}
      {checked}
      {requiredScopes.length === 0 ? null : <>; needed was {scopesIn(requiredScopes)}</>}.
    </p>
  );
}

const scopesIn = (scopes: readonly string[]) =>
  scopes.length === 0
    ? 'nothing'
    : scopes.map((scope, i) => [i === 0 ? '' : ', ', <Name key={scope} text={scope} mono />]);

function Exchanges({ chain }: { chain: Chain<PartyView> }) {
  return (
    <ul class="steps">
      {chain.exchanges.map((exchange) => (
        <li key={exchange.id} class="step edge-unknown">
          <p>
            {exchange.requester === null ? 'Somebody' : <PartyName party={exchange.requester} />} exchanged token{' '}
            <Digest hex={exchange.tokenIn} />{' '}
            {exchange.tokenOut === null ? (
              'and got none'
            ) : (
              <>
                for <Digest hex={exchange.tokenOut} />
              </>
            )}
            {exchange.scopesGranted === null ? null : <> with {scopesIn(exchange.scopesGranted)}</>}.{' '}
            <EntryAnchors entries={[exchange.leafIndex]} />
          </p>
        </li>
      ))}
    </ul>
  );
}

function Findings({ chain }: { chain: Chain<PartyView> }) {
  const graver = chain.findings.filter(({ severity }) => severity !== 'notice');
  if (graver.length === 0) return null;
  return (
    <section class="card" aria-labelledby={`findings-${chain.id}`}>
      <h2 id={`findings-${chain.id}`}>What stands out</h2>
      <ul class="steps">
        {graver.map((finding, i) => (
          <li key={`${finding.rule} ${i}`}>
            <p>
              <SeverityBadge severity={finding.severity} /> <strong>{finding.title}</strong>:{' '}
              <Sentence text={finding.says} />{' '}
              <EntryAnchors entries={finding.facts.flatMap(({ entries }) => entries)} />
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The entries something rests on, further down this page. */
const EntryAnchors = ({ entries }: { entries: readonly string[] }) => (
  <span class="entry-links">
    {[...new Set(entries)].map((index) => (
      <a key={index} href={`#entry-${index}`} aria-label={`entry ${index}`}>
        #{index}
      </a>
    ))}
  </span>
);
