import type { JSX } from 'preact';
import type { Severity, Verdict } from '#chains';

/** One shape for each verdict: told apart without colour. */
const SHAPES: Record<Verdict, JSX.Element> = {
  permitted: (
    <>
      <circle cx="8" cy="8" r="7" class="fill" />
      <path d="M4.5 8.2 7 10.7 11.5 5.7" class="cut" />
    </>
  ),
  denied: (
    <>
      <circle cx="8" cy="8" r="6" class="stroke" />
      <path d="M3.8 12.2 12.2 3.8" class="stroke" />
    </>
  ),
  excessive: (
    <>
      <path d="M8 1 15.5 14.5H.5z" class="fill" />
      <path d="M8 5.5v4M8 11.5v1" class="cut" />
    </>
  ),
  suspicious: (
    <>
      <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" class="fill" />
      <path d="M8 4v5M8 11v1.2" class="cut" />
    </>
  ),
  unknown: (
    <>
      <circle cx="8" cy="8" r="6.5" class="stroke dashed" />
      <path d="M6 6.3a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3M8 11.3v.7" class="stroke thin" />
    </>
  ),
};

export const VerdictIcon = ({ verdict }: { verdict: Verdict }) => (
  <svg class={`icon ${verdict}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    {SHAPES[verdict]}
  </svg>
);

/** Colour, word and shape together. */
export const VerdictBadge = ({ verdict }: { verdict: Verdict }) => (
  <span class={`badge ${verdict}`}>
    <VerdictIcon verdict={verdict} />
    {verdict}
  </span>
);

const SEVERITY_SHAPE: Record<Severity, Verdict> = { critical: 'suspicious', warning: 'excessive', notice: 'unknown' };

/** How grave a finding is: the same shapes, its own word. */
export const SeverityBadge = ({ severity }: { severity: Severity }) => (
  <span class={`badge ${severity}`}>
    <VerdictIcon verdict={SEVERITY_SHAPE[severity]} />
    {severity}
  </span>
);
