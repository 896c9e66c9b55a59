import type { ComponentChildren } from 'preact';
import type { Grade, Verdict } from '#chains';
import { type Board, type HopEnd, laneNear, type Row, type Tie } from './board.ts';
import { GapSymbol } from './grade.tsx';
import { VERDICT_NAMES } from './route.ts';

const LINE_ABOVE_FOOT = 20;
const SLOT_WIDTH = 8;
/** How far from its lane, in lane widths, an end stands that is no lane. */
const BESIDE = 0.38;

/** How many lanes share the width, and how many pixels a row is high. */
interface Scale {
  readonly lanes: number;
  readonly rowHeight: number;
}
const lineOf = (row: number, { rowHeight }: Scale): number => (row + 1) * rowHeight - LINE_ABOVE_FOOT;
/** Horizontal places are percentages, so that the drawing fits any width, on paper too, without measuring. */
const laneX = (lane: number, { lanes }: Scale): number => ((lane + 0.5) / lanes) * 100;

/** Where an end stands: on its lane, or beside it, before a start and behind an end. */
export function endX(end: HopEnd, is: 'start' | 'end', scale: Scale): number {
  if (end.kind === 'lane') return laneX(end.lane, scale);
  return laneX(end.beside, scale) + ((is === 'start' ? -BESIDE : BESIDE) / scale.lanes) * 100;
}

/** Every line of the drawing. The rows of text above it say the same in words, so it is hidden from screen readers. */
export function BoardLines(given: { board: Board; selected: number | null; rowHeight: number }) {
  const { board, selected, rowHeight } = given;
  const scale = { lanes: board.lanes.length, rowHeight };
  const height = board.rows.length * rowHeight;
  return (
    <svg class="lines" width="100%" height={height} aria-hidden="true" focusable="false">
      <defs>
        {VERDICT_NAMES.map((verdict) => (
          <Arrowhead key={verdict} verdict={verdict} />
        ))}
      </defs>
      {selected === null ? null : (
        <rect class="selected" x="0" y={selected * rowHeight} width="100%" height={rowHeight} />
      )}
      {board.lanes.map((lane, i) => {
        const x = `${laneX(i, scale)}%`;
        const key = lane.kind === 'service' ? lane.name : '';
        const isHeard = lane.kind === 'service' && lane.reports;
        return <line key={key} class={isHeard ? 'lane' : 'lane unheard'} x1={x} x2={x} y1="0" y2={height} />;
      })}
      {board.ties.map((tie) => (
        <TieLine key={`${tie.link.from} ${tie.link.to}`} tie={tie} scale={scale} />
      ))}
      {board.rows.map((row, i) => (
        <HopLine key={row.hop.id} row={row} y={lineOf(i, scale)} scale={scale} />
      ))}
    </svg>
  );
}

const Arrowhead = ({ verdict }: { verdict: Verdict }) => (
  <marker
    id={`arrow-${verdict}`}
    viewBox="0 0 12 12"
    refX="16"
    refY="6"
    markerWidth="12"
    markerHeight="12"
    markerUnits="userSpaceOnUse"
    orient="auto"
  >
    <path class={`arrowhead ${verdict}`} d="M0 0 12 6 0 12z" />
  </marker>
);

function HopLine({ row, y, scale }: { row: Row; y: number; scale: Scale }) {
  const { hop, from, to, gaps } = row;
  const [x1, x2] = [endX(from, 'start', scale), endX(to, 'end', scale)];
  const style = `line hop ${hop.grade} ${hop.verdict}`;
  const marker = `url(#arrow-${hop.verdict})`;
  return (
    <g>
      {hop.kind === 'local' ? (
        <At x={x1} y={y}>
          <rect class={`step ${hop.verdict}`} x="-6" y="-6" width="12" height="12" rx="2" />
        </At>
      ) : x1 === x2 ? (
        <At x={x1} y={y}>
          <path class={style} d="M0-7h24v14h-12" marker-end={marker} />
        </At>
      ) : (
        <Graded x1={x1} x2={x2} y1={y} y2={y} style={style} grade={hop.grade} marker={marker} />
      )}
      {hop.decision?.outcome === 'deny' ? (
        <At x={x2 + (x1 - x2) * 0.5} y={y}>
          <path class="refused" d="M-6-6 6 6M6-6-6 6" />
        </At>
      ) : null}
      <EndMark end={from} x={x1} y={y} />
      <EndMark end={to} x={x2} y={y} />
      {to.kind === 'lane' && gaps.some((gap) => gap.kind === 'caller_without_callee') ? (
        <At x={x2} y={y}>
          <GapSymbol />
        </At>
      ) : null}
      {gaps.some((gap) => gap.kind === 'parent_unobserved') ? <NoCause x={x1} y={y} scale={scale} /> : null}
    </g>
  );
}

/** What made the caller do it is missing: a gap before the start, joined to it by a dotted line. */
function NoCause({ x, y, scale }: { x: number; y: number; scale: Scale }) {
  const before = x - (BESIDE / scale.lanes) * 100;
  return (
    <>
      <line class="line gap" x1={`${before}%`} x2={`${x}%`} y1={y} y2={y} />
      <At x={before} y={y}>
        <GapSymbol />
      </At>
    </>
  );
}

/** A link: down its lane from what led to what, then to the start of the hop when that stands elsewhere. */
function TieLine({ tie, scale }: { tie: Tie; scale: Scale }) {
  const { fromRow, toRow, fromLane, toEnd, slot, link } = tie;
  const x = laneX(fromLane, scale);
  const [y1, y2] = [lineOf(fromRow, scale), lineOf(toRow, scale)];
  const shift = (slot % 2 === 0 ? 1 : -1) * Math.ceil(slot / 2) * SLOT_WIDTH;
  const style = `line tie ${link.grade}`;
  if (toEnd.kind === 'lane' && toEnd.lane === fromLane) {
    return (
      <At x={x} y={0}>
        <line class={style} x1={shift} x2={shift} y1={y1} y2={y2} />
        {link.grade === 'ambiguous' ? <Question x={shift} y={y2 - 18 - slot * 17} /> : null}
      </At>
    );
  }
  return <Graded x1={x} x2={endX(toEnd, 'start', scale)} y1={y1} y2={y2} style={style} grade={link.grade} />;
}

interface Straight {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
  readonly style: string;
  readonly grade: Grade;
  readonly marker?: string;
}

const Graded = ({ x1, x2, y1, y2, style, grade, marker }: Straight) => (
  <>
    <line class={style} x1={`${x1}%`} x2={`${x2}%`} y1={y1} y2={y2} marker-end={marker} />
    {grade === 'ambiguous' ? (
      <At x={(x1 + x2) / 2} y={(y1 + y2) / 2}>
        <Question x={0} y={0} />
      </At>
    ) : null}
  </>
);

const Question = ({ x, y }: { x: number; y: number }) => (
  <g transform={`translate(${x} ${y})`}>
    <circle class="question" r="7" />
    <text class="question-mark" y="4">
      ?
    </text>
  </g>
);

/** Children in pixels about a point that is a percentage across. */
const At = ({ x, y, children }: { x: number; y: number; children: ComponentChildren }) => (
  <svg x={`${x}%`} y={y} overflow="visible" aria-hidden="true">
    {children}
  </svg>
);

function EndMark({ end, x, y }: { end: HopEnd; x: number; y: number }) {
  return (
    <At x={x} y={y}>
      {end.kind === 'gap' ? <GapSymbol /> : <circle class={`end ${end.kind}`} r={end.kind === 'lane' ? 4 : 5} />}
    </At>
  );
}

/** Where a row's words begin, in parts of the width: at the leftmost lane its line touches. */
export const rowLeft = ({ from, to }: Row, lanes: number): number =>
  (Math.max(0, Math.min(laneNear(from), laneNear(to))) + 0.5) / lanes;
