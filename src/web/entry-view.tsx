import { fetchEntry } from './api.ts';
import { EntryCheck } from './entry-check.tsx';
import { useRemote } from './remote.ts';
import { visible } from './shown.tsx';
import { Loading, ProblemBox } from './states.tsx';

/** One entry as the ledger holds it, persons sealed, with a check of its proof. */
export function EntryView({ index }: { index: string }) {
  const [remote, again] = useRemote(index, fetchEntry);
  return (
    <section class="card narrow" aria-labelledby="entry-title">
      <header class="card-head">
        <h2 id="entry-title">Entry #{index}</h2>
      </header>
      <p class="hint">
        What one reporter said, exactly as the ledger keeps it. Laid out here for reading; the proof is over the exact
        bytes. Persons stand as references.
      </p>
      <EntryCheck key={index} index={index} linked={false} />
      {remote.kind === 'loading' ? <Loading what={`entry ${index}`} /> : null}
      {remote.kind === 'failed' ? <ProblemBox problem={remote.problem} again={again} /> : null}
      {remote.kind === 'ready' ? <pre class="entry-bytes">{readable(remote.value)}</pre> : null}
    </section>
  );
}

/** Line by line and with nothing invisible; as it came when it is not JSON. */
function readable(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  try {
    const laidOut = JSON.stringify(JSON.parse(text), null, 2);
    return laidOut.split('\n').map(visible).join('\n');
  } catch {
    return visible(text);
  }
}
