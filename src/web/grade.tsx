import type { GapKind, Grade } from '#chains';

/** Strongest first, with what each one rests on (design section 5). */
export const GRADE_MEANINGS: Record<Grade, string> = {
  proven: 'a verified token or an observed exchange binds both sides',
  corroborated: 'both sides reported it independently and agree',
  asserted: 'one side says so; nobody else confirms it',
  inferred: 'only parentage, time or shared ids suggest it',
  ambiguous: 'several fit; all are shown, none is chosen',
};
export const GRADE_NAMES = Object.keys(GRADE_MEANINGS) as Grade[];

/** A typed absence in a few words. */
export const GAP_WORDS: Record<GapKind, string> = {
  caller_without_callee: 'callee not observed',
  callee_without_caller: 'caller not observed',
  parent_unobserved: 'cause not observed',
  unsampled: 'caller not sampled',
  dropped_by_sdk: 'dropped by sender',
  not_disclosed: 'not disclosed',
  late: 'told late',
};

/** A line in the style of its grade. */
export const GradeSample = ({ grade }: { grade: Grade }) => (
  <svg class="grade-sample" viewBox="0 0 44 14" aria-hidden="true" focusable="false">
    {grade === 'ambiguous' ? (
      <>
        <line x1="2" y1="3" x2="42" y2="3" class="line ambiguous" />
        <line x1="2" y1="11" x2="42" y2="11" class="line ambiguous" />
        <circle cx="22" cy="7" r="6.5" class="question" />
        <text x="22" y="10.5" class="question-mark">
          ?
        </text>
      </>
    ) : (
      <line x1="2" y1="7" x2="42" y2="7" class={`line ${grade}`} />
    )}
  </svg>
);

export const GradeWord = ({ grade }: { grade: Grade }) => (
  <span class="grade-word" title={GRADE_MEANINGS[grade]}>
    <GradeSample grade={grade} />
    {grade}
  </span>
);

/** A gap's symbol: a dashed diamond that asks. Drawn about the origin. */
export const GapSymbol = () => (
  <g class="gap-symbol">
    <path d="M0-10 10 0 0 10-10 0z" />
    <text y="4">?</text>
  </g>
);

/** The same, in a line of text. */
export const GapMark = () => (
  <svg class="gap-mark" viewBox="-12 -12 24 24" aria-hidden="true" focusable="false">
    <GapSymbol />
  </svg>
);

export const GapChip = ({ kind }: { kind: GapKind }) => (
  <span class="gap-chip">
    <GapMark />
    gap: {GAP_WORDS[kind]}
  </span>
);
