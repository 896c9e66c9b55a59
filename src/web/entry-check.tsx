import { useEffect, useRef, useState } from 'preact/hooks';
import { type CheckedProof, checkEntry } from './proof-check.ts';
import { asProblem, type Remote } from './remote.ts';
import { entryAddress } from './route.ts';
import { Digest, Name } from './shown.tsx';
import { ProblemBox } from './states.tsx';

/** One entry by its leaf index: a link to its bytes unless they stand beside it, and a check of its proof in this browser. */
export function EntryCheck({ index, linked = true }: { index: string; linked?: boolean }) {
  const [state, setState] = useState<Remote<CheckedProof> | null>(null);
  const running = useRef<AbortController>(null);
  useEffect(() => () => running.current?.abort(), []);
  const check = () => {
    running.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    const done = (next: Remote<CheckedProof>) => {
      if (!abort.signal.aborted) setState(next);
    };
    setState({ kind: 'loading' });
    checkEntry(index, abort.signal).then(
      (value) => done({ kind: 'ready', value }),
      (error: unknown) => done({ kind: 'failed', problem: asProblem(error) }),
    );
  };
  return (
    <div class="entry">
      <p class="entry-line">
        {linked ? <a href={entryAddress(index)}>entry #{index}</a> : null}
        <button type="button" class="small" onClick={check} disabled={state?.kind === 'loading'}>
          {state?.kind === 'loading' ? 'checking…' : 'check the proof'}
        </button>
      </p>
      <div aria-live="polite">
        {state?.kind === 'failed' ? <ProblemBox problem={state.problem} /> : null}
        {state?.kind === 'ready' ? <Checked proof={state.value} /> : null}
      </div>
    </div>
  );
}

const Checked = ({ proof }: { proof: CheckedProof }) => (
  <div class="checked">
    <p class="checked-title">
      <svg class="icon permitted" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <path d="M8 .5 14.5 3v5c0 4-2.8 6.5-6.5 7.5C4.3 14.5 1.5 12 1.5 8V3z" class="fill" />
        <path d="m4.7 8 2.5 2.5 4.3-5" class="cut" />
      </svg>
      checked by this browser
    </p>
    <ol>
      <li>
        The {proof.bytes} bytes of entry {proof.index} hash to leaf <Digest hex={proof.leaf} />.
      </li>
      <li>
        That leaf is number {proof.index} in the tree of {proof.size} entries with root <Digest hex={proof.root} />.
      </li>
      <li>
        The checkpoint that states this size and root is signed by the key of <Name text={proof.origin} />.
      </li>
    </ol>
    {proof.keyFrom === 'pinned' ? (
      <p>The key is the one you pinned in this browser.</p>
    ) : (
      <p class="caution">
        The key came from the server itself. This shows that the entry is under the log this server signs; it does not
        show that this is the right log. <a href="#/key">Pin the key</a> you got elsewhere to be sure of that.
      </p>
    )}
  </div>
);
