import { VerificationError } from '@behalf/verify';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Sentence } from '../shown.tsx';
import { type Checked, checkBundle, readBundle, type Trusted } from './check.ts';
import { Entries } from './entries.tsx';
import { NotProven, WhatWasChecked } from './proof.tsx';
import { meaningOf } from './refusal.ts';
import { storyOf } from './story.ts';
import { ChainStory } from './story.tsx';
import { TakeElsewhere } from './take-elsewhere.tsx';
import { TrustForm } from './trust-form.tsx';

/** What is on the page: a bundle, or why a file that was dropped is none. */
type Given = { readonly bundle: string } | { readonly error: VerificationError } | null;

/** The page: takes a bundle, checks it, and only then tells what it says. */
export function EvidencePage({ carried }: { carried: string | null }) {
  const [given, setGiven] = useState<Given>(carried === null ? null : { bundle: carried });
  const [trusted, setTrusted] = useState<Trusted | null>(null);
  const [checked, setChecked] = useState<Checked | null>(null);
  useEffect(() => {
    let current = true;
    setChecked(null);
    if (given !== null && 'error' in given) setChecked({ kind: 'refused', error: given.error });
    else if (given !== null) checkBundle(given.bundle, trusted).then((result) => current && setChecked(result));
    return () => {
      current = false;
    };
  }, [given, trusted]);
  const take = (file: File | undefined) => {
    if (file === undefined) return;
    readBundle(file).then(
      (bundle) => setGiven({ bundle }),
      (error: unknown) => setGiven({ error: error instanceof VerificationError ? error : unreadable(error) }),
    );
  };
  useDrop(take);
  return (
    <>
      <header class="page-head">
        <span class="brand">Behalf evidence</span>
        <span class="brand-says">who did what, on whose behalf, under which authority: checked here, offline</span>
      </header>
      <main>
        {given === null ? <Ask take={take} /> : <Outcome checked={checked} />}
        {checked?.kind === 'held' && given !== null && 'bundle' in given ? (
          <Held checked={checked} bundle={given.bundle} />
        ) : null}
        <TrustForm trusted={trusted} onTrust={setTrusted} />
        {given === null ? null : <Another take={take} />}
      </main>
    </>
  );
}

const unreadable = (error: unknown): VerificationError =>
  new VerificationError('unavailable', `the file could not be read: ${String(error)}`);

/** A file dropped anywhere on the page. */
function useDrop(take: (file: File | undefined) => void): void {
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      take(event.dataTransfer?.files[0]);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('drop', drop);
    };
  }, []);
}

function Held({ checked, bundle }: { checked: Extract<Checked, { kind: 'held' }>; bundle: string }) {
  const { evidence } = checked;
  const story = useMemo(() => storyOf(evidence), [evidence]);
  return (
    <>
      {story.chains.map((chain) => (
        <ChainStory key={chain.id} chain={chain} />
      ))}
      <WhatWasChecked checked={checked} />
      <NotProven checked={checked} />
      <TakeElsewhere bundle={bundle} />
      <Entries evidence={evidence} other={story.other} />
    </>
  );
}

const Ask = ({ take }: { take: (file: File | undefined) => void }) => (
  <section class="card outcome edge-unknown" aria-labelledby="ask">
    <h1 id="ask">Give it evidence to check</h1>
    <p>
      Drop an evidence file here, or choose one. It is read and checked in this browser; nothing is sent anywhere, and
      the page can be used with the network switched off.
    </p>
    <p>
      <FileButton says="Choose an evidence file" take={take} />
    </p>
  </section>
);

const Another = ({ take }: { take: (file: File | undefined) => void }) => (
  <p class="another">
    <FileButton says="Check another evidence file" take={take} />
  </p>
);

const FileButton = ({ says, take }: { says: string; take: (file: File | undefined) => void }) => (
  <label class="file">
    {says}
    <input type="file" onChange={(event) => take(event.currentTarget.files?.[0])} />
  </label>
);

function Outcome({ checked }: { checked: Checked | null }) {
  if (checked === null) {
    return (
      <p class="state" role="status">
        <span class="spinner" aria-hidden="true" /> Checking every entry and signature…
      </p>
    );
  }
  if (checked.kind === 'held') return <HeldOutcome checked={checked} />;
  return (
    <section class="card outcome edge-suspicious" role="alert">
      <h1>{checked.kind === 'refused' ? 'Refused: this does not hold' : 'Not checked'}</h1>
      {checked.kind === 'unable' ? (
        <p>
          <Sentence text={checked.says} />
        </p>
      ) : (
        <>
          <p>{meaningOf(checked.error.code)} Nothing it says is shown, because nothing of it is proven.</p>
          <p class="mono small">
            <Sentence text={named(checked.error)} />
          </p>
        </>
      )}
    </section>
  );
}

/** The check that failed, and what it says. */
const named = ({ code, message }: VerificationError): string =>
  message.startsWith(`${code}: `) ? message : `${code}: ${message}`;

function HeldOutcome({ checked: { evidence, trusted } }: { checked: Extract<Checked, { kind: 'held' }> }) {
  const { entries, checkpoint } = evidence;
  const own = trusted.from === 'reader';
  const many = entries.length === 1 ? 'The entry is' : `All ${entries.length} entries are`;
  return (
    <section class={`card outcome ${own ? 'edge-permitted' : 'edge-excessive'}`} role="status">
      <h1>{own ? 'It holds, under what you trust' : 'It holds together; by whose word is for you to settle'}</h1>
      <p>
        {many} in the log{' '}
        <strong>
          <Sentence text={checkpoint.origin} />
        </strong>
        , exactly as shown below, as it was signed at {String(checkpoint.size)} entries.
      </p>
      {own ? null : (
        <p>
          It was checked with the keys that came in this same file, and whoever made the file chose them. To rely on
          nobody’s word, <a href="#trust">give the keys you trust</a>.
        </p>
      )}
    </section>
  );
}
