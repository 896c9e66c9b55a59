import type { ComponentChildren } from 'preact';
import { useId, useMemo } from 'preact/hooks';
import type { ChainAnswer } from '#query';
import { fetchChain } from './api.ts';
import { AuthorityTable } from './authority.tsx';
import { boardOf } from './board.ts';
import { BoardView } from './board-view.tsx';
import { Delegation } from './delegation.tsx';
import { Exchanges } from './exchanges.tsx';
import { EntryLinks, Findings } from './findings.tsx';
import { GapMark } from './grade.tsx';
import { HopDetails } from './hop-details.tsx';
import { LogLine } from './log-line.tsx';
import { useRemote } from './remote.ts';
import { chainAddress } from './route.ts';
import { Name, Sentence } from './shown.tsx';
import { Loading, ProblemBox } from './states.tsx';
import { formatInstant, formatLocal, formatSpan } from './time.ts';
import { VerdictBadge } from './verdict.tsx';

/** One chain: what it amounts to, its drawing, and the selected hop. */
export function ChainView({ id, hop }: { id: string; hop: string | null }) {
  const [remote, again] = useRemote(id, fetchChain);
  return (
    <>
      <p class="back">
        <a href="#/">All chains</a>
      </p>
      {remote.kind === 'loading' ? <Loading what="the chain" /> : null}
      {remote.kind === 'failed' ? <ProblemBox problem={remote.problem} again={again} /> : null}
      {remote.kind === 'ready' ? <ChainBody answer={remote.value} asked={id} hop={hop} /> : null}
    </>
  );
}

function ChainBody({ answer, asked, hop }: { answer: ChainAnswer; asked: string; hop: string | null }) {
  const { chain, log } = answer;
  const board = useMemo(() => boardOf(chain), [chain]);
  const selected = chain.hops.find((each) => each.id === hop) ?? telling(chain);
  const select = (hopId: string) => {
    history.replaceState(null, '', chainAddress(asked, hopId));
    dispatchEvent(new HashChangeEvent('hashchange'));
  };
  const show = (hopId: string) => {
    select(hopId);
    document.getElementById('hop-details')?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <>
      <Head answer={answer} />
      <Delegation chain={chain} />
      <div class="columns">
        {chain.hops.length === 0 ? (
          <p class="card">No hop of this chain was observed, only exchanges of tokens.</p>
        ) : (
          <BoardView chain={chain} board={board} selected={selected?.id ?? null} onSelect={select} />
        )}
        {selected === undefined ? null : <HopDetails key={selected.id} chain={chain} hop={selected} />}
        <div class="rest">
          <Part title="Findings">
            <Findings chain={chain} onSelect={show} />
          </Part>
          <Part title="Under which authority">
            <AuthorityTable chain={chain} onSelect={show} />
          </Part>
        </div>
      </div>
      {chain.exchanges.length === 0 ? null : (
        <Part title="Token exchanges">
          <Exchanges exchanges={chain.exchanges} />
        </Part>
      )}
      <details class="small" open={chain.entries.length <= 40}>
        <summary>Rests on {chain.entries.length === 1 ? '1 entry' : `${chain.entries.length} entries`}</summary>
        <EntryLinks entries={chain.entries} />
      </details>
      <LogLine log={log} />
    </>
  );
}

/** The hop to look at first: the one that gave the chain its verdict. */
const telling = ({ hops, verdict }: ChainAnswer['chain']) => hops.find((hop) => hop.verdict === verdict) ?? hops[0];

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
      </header>
      {children}
    </section>
  );
}

function Head({ answer: { chain } }: { answer: ChainAnswer }) {
  const { completeness } = chain;
  return (
    <section class={`card head edge-${chain.verdict}`} aria-labelledby="chain-title">
      <div class="head-line">
        <VerdictBadge verdict={chain.verdict} />
        <h1 id="chain-title">
          <Sentence text={chain.reason} />
        </h1>
      </div>
      <dl class="facts head-facts">
        <div class="fact">
          <dt>chain</dt>
          <dd>
            <Name text={chain.id} mono />
          </dd>
        </div>
        <div class="fact">
          <dt>when, as claimed</dt>
          <dd>
            <time dateTime={formatInstant(chain.from)} title={formatInstant(chain.from)}>
              {formatLocal(chain.from)}
            </time>
            , {formatSpan(chain.from, chain.to)} long
          </dd>
        </div>
        <div class="fact">
          <dt>completeness</dt>
          <dd class={completeness.complete ? '' : 'incomplete'}>
            {completeness.complete ? null : <GapMark />} <Sentence text={completeness.says} />
          </dd>
        </div>
        <div class="fact">
          <dt>{chain.traceIds.length === 1 ? 'trace' : 'traces'}</dt>
          <dd>
            {chain.traceIds.map((traceId) => (
              <div key={traceId} class="mono small">
                {traceId}
              </div>
            ))}
            {chain.traceIds.length === 0 ? 'none' : null}
          </dd>
        </div>
      </dl>
    </section>
  );
}
