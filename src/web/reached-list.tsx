import type { ComponentChildren } from 'preact';
import type { Reached, ReachStep } from '#chains';
import { GradeWord } from './grade.tsx';
import { chainAddress } from './route.ts';
import { Led, Sentence } from './shown.tsx';

interface ListProps<T> {
  readonly list: readonly Reached<T>[];
  readonly name: (what: T) => ComponentChildren;
  readonly isForward: boolean;
}

/** Each thing reached, with the way to it and, forward, what would have stopped it. */
export const ReachedList = <T,>({ list, name, isForward }: ListProps<T>) => (
  <ul class="evidence">
    {list.map((each, i) => (
      <li key={`${each.path.at(-1)?.hop} ${i}`}>
        <strong>{name(each.what)}</strong>{' '}
        <span class="muted">
          {each.hops} {each.hops === 1 ? 'hop' : 'hops'}
        </span>
        <Way path={each.path} />
        {isForward ? (
          <>
            <p class="small">
              {each.checkedBy === null ? (
                'Nothing on the way verified and enforced.'
              ) : (
                <Sentence text={each.checkedBy} />
              )}
            </p>
            <p class="small">
              Would have stopped it: <Sentence text={each.wouldHaveStopped} />
            </p>
          </>
        ) : null}
      </li>
    ))}
  </ul>
);

const Way = ({ path }: { path: readonly ReachStep[] }) => (
  <ol class="way small">
    {path.map(({ chain, hop, says, grade }) => (
      <li key={hop}>
        <a href={chainAddress(chain, hop)}>
          <Led text={says} />
        </a>
        {grade === null ? null : (
          <>
            {' '}
            <GradeWord grade={grade} />
          </>
        )}
      </li>
    ))}
  </ol>
);
