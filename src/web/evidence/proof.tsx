import type { CheckedEvidence } from '@behalf/verify';
import { Name, Sentence } from '../shown.tsx';
import type { Checked } from './check.ts';

type Held = Extract<Checked, { kind: 'held' }>;

/** Each check that ran and held, with what it means. */
export const WhatWasChecked = ({ checked: { evidence, trusted, milliseconds } }: { checked: Held }) => {
  const { entries, checkpoint, verifierKey, cosigned, disclosed } = evidence;
  return (
    <section class="card" aria-labelledby="checked">
      <h2 id="checked">What was checked, in this browser</h2>
      <ul class="checks">
        <Check says={entries.length === 1 ? '1 entry, byte for byte' : `${entries.length} entries, byte for byte`}>
          Each hashes to its own place in the log’s tree of {String(checkpoint.size)} entries; a change of one
          character, of its number or of the order would show (RFC 6962).
        </Check>
        <Check says="The log’s signature">
          The log <Name text={checkpoint.origin} /> signed that tree, with the key <Name text={verifierKey} mono />
          {trusted.from === 'reader' ? ', which you trust.' : ', which this file itself names.'}
        </Check>
        <Witnesses cosigned={cosigned} />
        <Disclosed disclosed={disclosed} />
        <Timestamp timestamp={evidence.timestamp} />
      </ul>
      <p class="hint">
        Root hash <Name text={hex(checkpoint.root)} mono />. Checked in {milliseconds.toFixed(0)} ms, without any
        network.
      </p>
    </section>
  );
};

const Check = ({ says, children }: { says: string; children: preact.ComponentChildren }) => (
  <li>
    <svg class="icon permitted" viewBox="0 0 16 16" role="img" aria-label="held">
      <circle cx="8" cy="8" r="7" class="fill" />
      <path d="M4.5 8.2 7 10.7 11.5 5.7" class="cut" />
    </svg>
    <div>
      <strong>{says}.</strong> {children}
    </div>
  </li>
);

const Not = ({ says, children }: { says: string; children: preact.ComponentChildren }) => (
  <li>
    <svg class="icon unknown" viewBox="0 0 16 16" role="img" aria-label="not checked">
      <circle cx="8" cy="8" r="6.5" class="stroke dashed" />
    </svg>
    <div>
      <strong>{says}.</strong> {children}
    </div>
  </li>
);

const Witnesses = ({ cosigned }: Pick<CheckedEvidence, 'cosigned'>) =>
  cosigned.length === 0 ? (
    <Not says="No witness">
      Nobody independent vouched for it. Whoever holds the log’s key could have shown others another history.
    </Not>
  ) : (
    <Check says={cosigned.length === 1 ? '1 independent witness' : `${cosigned.length} independent witnesses`}>
      {cosigned.map(({ witness, time }, i) => (
        <span key={witness}>
          {i === 0 ? '' : ', '}
          <Name text={witness} /> on {dateOf(time)}
        </span>
      ))}{' '}
      saw this tree as the largest, grown out of all they saw before.
    </Check>
  );

const Disclosed = ({ disclosed }: Pick<CheckedEvidence, 'disclosed'>) =>
  disclosed.length === 0 ? null : (
    <Check says={disclosed.length === 1 ? '1 disclosed name' : `${disclosed.length} disclosed names`}>
      Each is the one that was sealed in its entry; no other name could be given for it, and no other person’s is opened
      with it.
    </Check>
  );

function Timestamp({ timestamp }: Pick<CheckedEvidence, 'timestamp'>) {
  if (timestamp.kind === 'none') return null;
  return timestamp.kind === 'checked' ? (
    <Check says="A timestamp">
      <Sentence text={timestamp.authority} /> says that this signed tree existed on {dateOf(timestamp.time)} (RFC 3161).
    </Check>
  ) : (
    <Not says="A timestamp, not checked">
      It claims {dateOf(timestamp.time)}. To check it, give the authority’s certificate below, with the keys you trust.
    </Not>
  );
}

/** Where proof ends. */
export const NotProven = ({ checked: { trusted } }: { checked: Held }) => (
  <section class="card" aria-labelledby="not-proven">
    <h2 id="not-proven">What this does not prove</h2>
    <ul class="limits">
      <li>
        <strong>That what was reported is true.</strong> The log keeps what services said. How sure each step is, its
        grade says: what a verified token binds is proven, what one side says alone is asserted.
      </li>
      <li>
        <strong>That nothing is missing.</strong> The file shows the entries that somebody chose. What its gaps name is
        missing; what was never reported, no log can show.
      </li>
      <li>
        <strong>The exact time.</strong> Times are what each service claimed. Witnesses and timestamps say only by when
        it existed.
      </li>
      {trusted.from === 'reader' ? null : (
        <li>
          <strong>Who signed it.</strong> The keys came with the file. Get the log’s key from a source you trust and
          give it below.
        </li>
      )}
      <li>
        <strong>That this page is honest,</strong> where it came together with the evidence: a forger would send a page
        that always agrees. Check the file with a page or program from elsewhere, as described next.
      </li>
    </ul>
  </section>
);

const dateOf = (seconds: bigint): string =>
  seconds < 253_402_300_800n
    ? `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`
    : `second ${seconds}`;

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
