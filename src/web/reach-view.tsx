import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { BlastRadiusAnswer } from '#query';
import { fetchReach } from './api.ts';
import { LogLine } from './log-line.tsx';
import { PartyName } from './party.tsx';
import { ReachedList } from './reached-list.tsx';
import { useRemote } from './remote.ts';
import { chainAddress, parseRoute, type ReachQuestion, reachAddress } from './route.ts';
import { Led, Name, Sentence } from './shown.tsx';
import { Loading, ProblemBox } from './states.tsx';

/** How far something reached and could have reached; or what led, and could have led, to it. */
export function ReachView({ question }: { question: ReachQuestion }) {
  const [remote, again] = useRemote(reachAddress(question), loadReach);
  return (
    <>
      <p class="back">
        <a href="#/">All chains</a>
      </p>
      <section class="card head" aria-labelledby="reach-title">
        <h1 id="reach-title">
          {question.isBackward ? 'What led to ' : 'What was reached by '}
          {question.of} <Name text={question.key} />
        </h1>
        <p>
          <a href={reachAddress({ ...question, isBackward: !question.isBackward })}>
            {question.isBackward ? 'Look forward: what it reached' : 'Look backward: what led to it'}
          </a>
        </p>
        {remote.kind === 'ready' ? <Counts answer={remote.value} /> : null}
      </section>
      {remote.kind === 'loading' ? <Loading what="the reach" /> : null}
      {remote.kind === 'failed' ? <ProblemBox problem={remote.problem} again={again} /> : null}
      {remote.kind === 'ready' ? <Answer answer={remote.value} /> : null}
    </>
  );
}

/** The address is the key: it says all there is to ask. */
function loadReach(address: string, signal: AbortSignal): Promise<BlastRadiusAnswer> {
  const route = parseRoute(address);
  if (route.kind !== 'reach') throw new TypeError(`no reach is asked for by ${address}`);
  return fetchReach(route.question, signal);
}

const Counts = ({ answer: { actual, completeness } }: { answer: BlastRadiusAnswer }) => (
  <p class={completeness.bounded ? 'incomplete' : 'muted'}>
    {counted(actual.hops, 'hop')} in {counted(actual.chains, 'chain')}; <Sentence text={completeness.says} />
  </p>
);

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function Answer({ answer }: { answer: BlastRadiusAnswer }) {
  const { actual, possible, possibleSources, boundaryGaps, direction } = answer;
  const isForward = direction === 'forward';
  return (
    <>
      <Part title={isForward ? 'Services reached' : 'Services it came through'} count={actual.services.length}>
        <ReachedList list={actual.services} name={(what) => <Name text={what} />} isForward={isForward} />
      </Part>
      <Part title="Resources" count={actual.resources.length}>
        <ReachedList list={actual.resources} name={(what) => <Name text={what} />} isForward={isForward} />
      </Part>
      <Part
        title={isForward ? 'People whose authority was used' : 'Who acted or was acted for'}
        count={actual.parties.length}
      >
        <ReachedList list={actual.parties} name={(party) => <PartyName party={party} />} isForward={isForward} />
      </Part>
      <Part title="Refused: nothing behind was reached" count={actual.stopped.length}>
        <ul class="evidence">
          {actual.stopped.map(({ chain, hop, says }) => (
            <li key={hop}>
              <a href={chainAddress(chain, hop)}>
                <Led text={says} />
              </a>
            </li>
          ))}
        </ul>
      </Part>
      <Part title="Could have been reached besides" count={possible?.reached.length ?? 0}>
        <Possible
          list={(possible?.reached ?? []).map(({ service, ...rest }) => ({ ...rest, name: <Name text={service} /> }))}
        />
      </Part>
      <Part title="Could have come from" count={possibleSources?.sources.length ?? 0}>
        <Possible
          list={(possibleSources?.sources ?? []).map(({ service, parties, ...rest }) => ({
            ...rest,
            name: (
              <>
                <Name text={service} />
                {parties.map((party) => (
                  <span key={party.key}>
                    {' · '}
                    <PartyName party={party} />
                  </span>
                ))}
              </>
            ),
          }))}
        />
      </Part>
      <Part title="Crossed without verification" count={boundaryGaps.length}>
        <ul class="evidence">
          {boundaryGaps.map(({ chain, hops, says }) => (
            <li key={hops[0]}>
              <a href={chainAddress(chain, hops[0])}>
                <Sentence text={says} />
              </a>
            </li>
          ))}
        </ul>
      </Part>
      <LogLine log={answer.log} />
    </>
  );
}

interface Possibility {
  readonly name: ComponentChildren;
  readonly path: readonly string[];
  readonly why: string;
}

const Possible = ({ list }: { list: readonly Possibility[] }) => (
  <ul class="evidence">
    {list.map(({ name, path, why }) => (
      <li key={path.join(' ')}>
        <strong>{name}</strong>
        <p class="muted small">
          over <Led text={path.join(' → ')} />; <Sentence text={why} />
        </p>
      </li>
    ))}
  </ul>
);

/** A card that is only there when it holds something. */
function Part({ title, count, children }: { title: string; count: number; children: ComponentChildren }) {
  const id = useId();
  return count === 0 ? null : (
    <section class="card" aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>
          {title} <span class="muted">({count})</span>
        </h2>
      </header>
      {children}
    </section>
  );
}
