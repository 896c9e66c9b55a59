import { useState } from 'preact/hooks';
import type { ChainSummary, ChainsAnswer } from '#query';
import { fetchChains } from './api.ts';
import { ChainFiltersBar } from './chain-filters.tsx';
import { GapMark } from './grade.tsx';
import { LogLine } from './log-line.tsx';
import { PartyName } from './party.tsx';
import { asProblem, type Remote, useRemote } from './remote.ts';
import { type ChainFilters, chainAddress, chainsAddress } from './route.ts';
import { Arrow, Name, Sentence } from './shown.tsx';
import { Loading, ProblemBox } from './states.tsx';
import { formatInstant, formatLocal, formatSpan } from './time.ts';
import { VerdictBadge } from './verdict.tsx';

const loadFirst = (filters: string, signal: AbortSignal) =>
  fetchChains(JSON.parse(filters) as ChainFilters, null, signal);

/** The chains, newest first, as the filters ask. */
export function ChainsList({ filters }: { filters: ChainFilters }) {
  const [remote, again] = useRemote(JSON.stringify(filters), loadFirst);
  return (
    <>
      <div class="title-line">
        <h1>Chains</h1>
        <button type="button" class="small" onClick={again}>
          Refresh
        </button>
      </div>
      <ChainFiltersBar key={filters.service} filters={filters} />
      {remote.kind === 'loading' ? <Loading what="chains" /> : null}
      {remote.kind === 'failed' ? <ProblemBox problem={remote.problem} again={again} /> : null}
      {remote.kind === 'ready' ? <Pages first={remote.value} filters={filters} /> : null}
    </>
  );
}

function Pages({ first, filters }: { first: ChainsAnswer; filters: ChainFilters }) {
  const [older, setOlder] = useState<readonly ChainsAnswer[]>([]);
  const [state, setState] = useState<Remote<null>>({ kind: 'ready', value: null });
  const pages = [first, ...older];
  const next = pages.at(-1)?.next ?? null;
  const more = () => {
    setState({ kind: 'loading' });
    fetchChains(filters, next, new AbortController().signal).then(
      (page) => {
        setOlder([...older, page]);
        setState({ kind: 'ready', value: null });
      },
      (error: unknown) => setState({ kind: 'failed', problem: asProblem(error) }),
    );
  };
  const chains = pages.flatMap((page) => page.chains);
  if (chains.length === 0) return <Nothing filters={filters} />;
  return (
    <>
      <ol class="chains">
        {chains.map((chain) => (
          <li key={chain.id} class={`chain-row edge-${chain.verdict}`}>
            <SummaryRow chain={chain} />
          </li>
        ))}
      </ol>
      {state.kind === 'failed' ? <ProblemBox problem={state.problem} again={more} /> : null}
      {next === null ? (
        <p class="hint">No older chains.</p>
      ) : (
        <button type="button" onClick={more} disabled={state.kind === 'loading'}>
          {state.kind === 'loading' ? 'Loading…' : 'Older'}
        </button>
      )}
      <LogLine log={first.log} />
    </>
  );
}

function SummaryRow({ chain }: { chain: ChainSummary }) {
  return (
    <article>
      <div class="row-verdict">
        <VerdictBadge verdict={chain.verdict} />
        <time class="muted small" dateTime={formatInstant(chain.from)} title={formatInstant(chain.from)}>
          {formatLocal(chain.from)}
        </time>
      </div>
      <div class="row-main">
        <h2>
          <a href={chainAddress(chain.id)}>
            <Who chain={chain} />
          </a>
        </h2>
        <p>
          <Sentence text={chain.reason} />
        </p>
        {chain.findings.length === 0 ? null : (
          <ul class="tags" aria-label="findings">
            {[...new Set(chain.findings)].map((rule) => (
              <li key={rule}>
                <Name text={rule.replaceAll('_', ' ')} />
              </li>
            ))}
          </ul>
        )}
      </div>
      <div class="row-side">
        <p class="services">
          {chain.services.map((name) => (
            <span key={name} class="service-name">
              <Name text={name} />
            </span>
          ))}
        </p>
        <p class="muted small">
          {chain.hops === 1 ? '1 hop' : `${chain.hops} hops`} in {formatSpan(chain.from, chain.to)}
        </p>
        <CompletenessLine chain={chain} />
      </div>
    </article>
  );
}

const Who = ({ chain }: { chain: ChainSummary }) => (
  <>
    {chain.subject === null ? <span class="muted">no subject observed</span> : <PartyName party={chain.subject} />}
    {chain.actors.map((actor, i) => (
      <span key={`${i} ${actor.key}`}>
        {' '}
        <Arrow /> <PartyName party={actor} />
      </span>
    ))}
  </>
);

const CompletenessLine = ({ chain: { completeness } }: { chain: ChainSummary }) => (
  <p class={completeness.complete ? 'small muted' : 'small incomplete'} title={completeness.says}>
    {completeness.complete ? null : <GapMark />}
    {completeness.complete
      ? 'complete'
      : `incomplete: ${completeness.gaps === 1 ? '1 gap' : `${completeness.gaps} gaps`}`}
  </p>
);

const Nothing = ({ filters }: { filters: ChainFilters }) =>
  filters.verdict === null && filters.service === '' ? (
    <div class="state">
      <p>No chains yet.</p>
      <p class="muted">
        Send traces or logs to this server’s OTLP address, or play the demo: <code>npm run demo -- --keep</code>
      </p>
    </div>
  ) : (
    <div class="state">
      <p>No chain fits these filters.</p>
      <p>
        <a href={chainsAddress({ verdict: null, service: '' })}>Show all chains</a>
      </p>
    </div>
  );
