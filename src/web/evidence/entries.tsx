import type { CheckedEvidence } from '@behalf/verify';
import { visible } from '../shown.tsx';

/** Every entry as the log holds it; those that say nothing this page can put in words are said so. */
export const Entries = ({ evidence: { entries }, other }: { evidence: CheckedEvidence; other: readonly bigint[] }) => (
  <section class="card" aria-labelledby="entries">
    <h2 id="entries">{entries.length === 1 ? 'The entry itself' : 'The entries themselves'}</h2>
    {other.length === 0 ? null : (
      <p class="hint">
        Not put in words above, because they are no observations of Behalf:{' '}
        {other.map((index) => `#${index}`).join(', ')}.
      </p>
    )}
    {entries.map(({ index, entry }) => (
      <details key={String(index)} id={`entry-${index}`} class="entry" open={entries.length === 1}>
        <summary>
          entry {String(index)} <span class="muted">{new TextEncoder().encode(entry).length} bytes</span>
        </summary>
        <pre>{visible(indented(entry)).replaceAll('\\u{a}', '\n')}</pre>
      </details>
    ))}
  </section>
);

/** The same JSON, set out for reading; text that is none, as it is. */
function indented(entry: string): string {
  try {
    return JSON.stringify(JSON.parse(entry), null, 2);
  } catch (error) {
    if (error instanceof SyntaxError) return entry;
    throw error;
  }
}
