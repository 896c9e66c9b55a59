import type { Problem } from './api.ts';
import { Sentence } from './shown.tsx';

/** Shown while the server is asked. */
export const Loading = ({ what }: { what: string }) => (
  <p class="state" role="status">
    <span class="spinner" aria-hidden="true" /> Loading {what}…
  </p>
);

/** What went wrong and what to do about it. */
export const ProblemBox = ({ problem, again }: { problem: Problem; again?: () => void }) => (
  <div class="problem" role="alert">
    <p class="problem-says">
      <Sentence text={problem.message} />
    </p>
    <p>{problem.advice}</p>
    {again === undefined ? null : (
      <button type="button" onClick={again}>
        Try again
      </button>
    )}
  </div>
);
