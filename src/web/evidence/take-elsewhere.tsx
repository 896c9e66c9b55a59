import { sha256 } from '@behalf/verify';
import { useMemo } from 'preact/hooks';
import { Name } from '../shown.tsx';

/** How to check the same bundle with a program that did not come with it. */
export function TakeElsewhere({ bundle }: { bundle: string }) {
  const bytes = useMemo(() => new TextEncoder().encode(bundle), [bundle]);
  const digest = useMemo(
    () => Array.from(sha256(bytes), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    [bytes],
  );
  return (
    <section class="card" aria-labelledby="elsewhere">
      <h2 id="elsewhere">Check it elsewhere</h2>
      <p>
        The bundle inside this page is a file of its own, with the SHA-256 <Name text={digest} mono />. With Node.js and
        the public package @behalf/verify, from npm and not from whoever sent you this:
      </p>
      <pre>npx @behalf/verify evidence.json --policy policy.txt</pre>
      <p>
        where policy.txt holds <code>log</code> with the log’s key and <code>quorum none</code>, or the witnesses you
        ask for. <code>npx @behalf/verify --page page.html</code> writes this page anew, empty: drop the file into it.
      </p>
      <p>
        <button type="button" onClick={() => save(bytes)}>
          Save the bundle as evidence.json
        </button>
      </p>
    </section>
  );
}

/** From memory to a file: no address of any network. */
function save(bytes: Uint8Array<ArrayBuffer>): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/json' }));
  link.download = 'evidence.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
