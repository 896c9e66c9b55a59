import { GapSymbol, GRADE_MEANINGS, GRADE_NAMES, GradeSample } from './grade.tsx';
import { VERDICT_NAMES } from './route.ts';
import { VerdictIcon } from './verdict.tsx';

/** What lines and shapes of the drawing mean. */
export const Legend = () => (
  <details class="legend" open>
    <summary>Legend</summary>
    <p class="hint">
      A line across is a hop, a line down a lane says why one hop led to the next. The line’s style is its grade, a
      hop’s colour and shape its verdict.
    </p>
    <dl class="legend-grades">
      {GRADE_NAMES.map((grade) => (
        <div key={grade}>
          <dt>
            <GradeSample grade={grade} /> {grade}
          </dt>
          <dd>{GRADE_MEANINGS[grade]}</dd>
        </div>
      ))}
      <div>
        <dt>
          <svg class="grade-sample" viewBox="-22 -11 44 22" aria-hidden="true" focusable="false">
            <GapSymbol />
          </svg>
          gap
        </dt>
        <dd>something is missing here; it is not where the chain begins or ends</dd>
      </div>
    </dl>
    <ul class="legend-verdicts">
      {VERDICT_NAMES.map((verdict) => (
        <li key={verdict}>
          <VerdictIcon verdict={verdict} /> {verdict}
        </li>
      ))}
    </ul>
  </details>
);
