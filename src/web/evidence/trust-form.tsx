import { VerificationError } from '@behalf/verify';
import { useState } from 'preact/hooks';
import { Sentence } from '../shown.tsx';
import { type Trusted, trustedBy } from './check.ts';

interface TrustFormProps {
  readonly trusted: Trusted | null;
  readonly onTrust: (trusted: Trusted | null) => void;
}

/** Where the reader says whom to believe. */
export function TrustForm({ trusted, onTrust }: TrustFormProps) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    try {
      onTrust(text.trim() === '' ? null : trustedBy(text));
      setProblem(null);
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      setProblem(error.message);
    }
  };
  return (
    <section class="card" id="trust" aria-labelledby="trust-title">
      <h2 id="trust-title">Whom you trust</h2>
      <form onSubmit={submit}>
        <p id="trust-says">
          The log’s verifier key, or a policy that names it and the witnesses (c2sp.org/tlog-policy), from a source you
          trust: not from this file and not from whoever sent it. For a timestamp, also the authority’s certificate in
          PEM.
        </p>
        <label for="trust-text">Key, policy or certificates</label>
        <textarea
          id="trust-text"
          class="mono"
          rows={4}
          spellcheck={false}
          aria-describedby="trust-says"
          placeholder={'log.example/behalf+1a2b3c4d+AQ…'}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        {problem === null ? null : (
          <p class="problem" role="alert">
            <Sentence text={problem} />
          </p>
        )}
        <p class="buttons">
          <button type="submit">Check with these</button>
          {trusted === null ? null : (
            <button type="button" onClick={() => onTrust(null)}>
              Back to what came with the file
            </button>
          )}
        </p>
      </form>
    </section>
  );
}
