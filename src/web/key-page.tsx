import { parseVerifierKey } from '@behalf/verify';
import { useState } from 'preact/hooks';
import { fetchLog } from './api.ts';
import { pinKey, pinnedKey } from './pinned-key.ts';
import { useRemote } from './remote.ts';
import { Name } from './shown.tsx';
import { ProblemBox } from './states.tsx';

const loadLog = (_: string, signal: AbortSignal) => fetchLog(signal);

/** Pins the log's verifier key in this browser, so that proofs no longer rest on what the server says of itself. */
export function KeyPage() {
  const [pinned, setPinned] = useState(pinnedKey());
  const [complaint, setComplaint] = useState<string | null>(null);
  const [log] = useRemote('', loadLog);
  const keep = (key: string | null) => {
    try {
      if (key !== null) parseVerifierKey(key);
      pinKey(key);
      setPinned(key);
      setComplaint(null);
    } catch (error) {
      setComplaint(`Not pinned: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get('key');
    keep(String(given ?? '').trim());
  };
  return (
    <section class="card narrow" aria-labelledby="key-title">
      <header class="card-head">
        <h2 id="key-title">The log’s verifier key</h2>
      </header>
      <p>
        A proof is worth what the key is worth. Get the key from someone you trust, not from this server, and pin it
        here. It stays in this browser.
      </p>
      {pinned === null ? (
        <p>No key is pinned: proofs are checked with the key the server names.</p>
      ) : (
        <p>
          Pinned: <Name text={pinned} mono />{' '}
          <button type="button" class="small" onClick={() => keep(null)}>
            let it go
          </button>
        </p>
      )}
      <form onSubmit={submit} class="key-form">
        <label for="key">Verifier key</label>
        <input id="key" name="key" required autocomplete="off" spellcheck={false} placeholder="name+1a2b3c4d+base64" />
        <button type="submit">Pin</button>
      </form>
      {complaint === null ? null : (
        <p class="problem" role="alert">
          {complaint}
        </p>
      )}
      {log.kind === 'failed' ? <ProblemBox problem={log.problem} /> : null}
      {log.kind === 'ready' ? (
        <p class="muted">
          The server names this key: <Name text={log.value.verifierKey} mono />
          {pinned === null
            ? ''
            : pinned === log.value.verifierKey
              ? ' It is the pinned one.'
              : ' It is not the pinned one.'}
        </p>
      ) : null}
    </section>
  );
}
