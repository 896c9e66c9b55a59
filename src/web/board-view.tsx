import { useEffect, useRef, useState } from 'preact/hooks';
import type { Chain } from '#chains';
import type { PartyView } from '#query';
import type { Board, Lane, Row } from './board.ts';
import { BoardLines, rowLeft } from './board-lines.tsx';
import { GAP_WORDS, GapChip } from './grade.tsx';
import { Legend } from './legend.tsx';
import { Name, visible } from './shown.tsx';
import { formatSpan } from './time.ts';
import { VerdictIcon } from './verdict.tsx';

interface BoardProps {
  readonly chain: Chain<PartyView>;
  readonly board: Board;
  readonly selected: string | null;
  readonly onSelect: (hopId: string) => void;
}

/** The chain drawn: services as lanes, hops as lines between them, links as lines down the lanes. One hop is selected. */
export function BoardView({ chain, board, selected, onSelect }: BoardProps) {
  const rowHeight = useNarrow() ? 92 : 68;
  const chosen = board.rows.findIndex((row) => row.hop.id === selected);
  const list = useRef<HTMLOListElement>(null);
  const moveBy = (event: KeyboardEvent) => {
    const to = nextRow(event.key, Math.max(chosen, 0), board.rows.length);
    const id = to === undefined ? undefined : board.rows[to]?.hop.id;
    if (id === undefined) return;
    event.preventDefault();
    onSelect(id);
    list.current?.querySelectorAll('button')[to ?? 0]?.focus();
  };
  return (
    <section class="card drawing" aria-labelledby="drawing-title">
      <header class="card-head">
        <h2 id="drawing-title">How it went</h2>
        <p class="hint">Select a hop for what both sides said. Arrow keys move.</p>
      </header>
      <div class="scroll">
        <div class="board">
          <div class="lane-heads">
            {board.lanes.map((lane) => (
              <LaneHead key={lane.kind === 'service' ? lane.name : ''} lane={lane} />
            ))}
          </div>
          <div class="board-body">
            <BoardLines board={board} selected={chosen < 0 ? null : chosen} rowHeight={rowHeight} />
            <ol class="rows" ref={list} onKeyDown={moveBy} aria-label="Hops, in the order they led to each other">
              {board.rows.map((row, i) => (
                <li key={row.hop.id} style={{ height: `${rowHeight}px` }}>
                  <RowButton
                    row={row}
                    chain={chain}
                    left={rowLeft(row, board.lanes.length)}
                    pressed={i === chosen}
                    reachable={i === Math.max(chosen, 0)}
                    onSelect={() => onSelect(row.hop.id)}
                  />
                </li>
              ))}
            </ol>
          </div>
        </div>
      </div>
      <Legend />
    </section>
  );
}

const NARROW = '(max-width: 640px)';

/** On a narrow page a row's words take two lines. */
function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const follow = () => setNarrow(media.matches);
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, []);
  return narrow;
}

function nextRow(key: string, at: number, count: number): number | undefined {
  if (key === 'ArrowDown' || key === 'ArrowRight') return Math.min(at + 1, count - 1);
  if (key === 'ArrowUp' || key === 'ArrowLeft') return Math.max(at - 1, 0);
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : undefined;
}

function LaneHead({ lane }: { lane: Lane }) {
  if (lane.kind === 'entrance') {
    return (
      <div class="lane-head entrance" title="Calls that came in from outside: nobody inside made them">
        <span class="lane-name">outside</span>
        <span class="lane-note">entrance</span>
      </div>
    );
  }
  return (
    <div class={lane.reports ? 'lane-head' : 'lane-head unheard'} title={visible(lane.name)}>
      <span class="lane-name">
        <Name text={lane.name} />
      </span>
      {lane.reports ? null : <span class="lane-note">reports nothing</span>}
    </div>
  );
}

interface RowProps {
  readonly row: Row;
  readonly chain: Chain<PartyView>;
  readonly left: number;
  readonly pressed: boolean;
  readonly reachable: boolean;
  readonly onSelect: () => void;
}

function RowButton({ row, chain, left, pressed, reachable, onSelect }: RowProps) {
  const { hop, gaps } = row;
  const findings = chain.findings.filter((finding) => finding.hop === hop.id && finding.verdict !== null).length;
  return (
    <button
      type="button"
      class="row"
      aria-pressed={pressed}
      aria-label={rowInWords(row)}
      tabIndex={reachable ? 0 : -1}
      onClick={onSelect}
    >
      <span class="row-space" style={{ flexBasis: `${(left * 100).toFixed(2)}%` }} />
      <span class="row-words">
        <VerdictIcon verdict={hop.verdict} />
        <span class="row-operation">
          <Name text={hop.operation ?? (hop.kind === 'local' ? 'a step inside' : `${hop.protocol} call`)} />
        </span>
        {gaps.map((gap) => (
          <GapChip key={gap.kind} kind={gap.kind} />
        ))}
        {findings > 0 ? (
          <span class={`finding-count ${hop.verdict}`}>{findings === 1 ? '1 finding' : `${findings} findings`}</span>
        ) : null}
        <span class="row-note">
          {hop.grade} · +{formatSpan(chain.from, hop.time)}
        </span>
      </span>
    </button>
  );
}

/** The whole row for who does not see the drawing. */
function rowInWords({ hop, from, gaps }: Row): string {
  const caller = hop.from?.name ?? (from.kind === 'lane' ? 'outside' : 'an unobserved caller');
  const path = hop.kind === 'local' ? `inside ${caller}` : `${caller} to ${hop.to?.name ?? 'an unobserved callee'}`;
  const parts = [path, hop.operation ?? hop.protocol, hop.verdict, `grade ${hop.grade}`];
  return visible([...parts, ...gaps.map((gap) => `gap: ${GAP_WORDS[gap.kind]}`)].join(', '));
}
