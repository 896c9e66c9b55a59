import type { ComponentChildren } from 'preact';

/** Invisible and direction-changing characters: a name must not look like another one (Unicode TR 36, TR 9). */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text from outside, as characters one can see. */
export const visible = (text: string): string =>
  text.replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** A name from outside: its direction cannot reach the text around it. */
export const Name = ({ text, mono = false }: { text: string; mono?: boolean }) => (
  <bdi class={mono ? 'name mono' : 'name'} title={text.length > 60 ? visible(text.slice(0, 2048)) : undefined}>
    {visible(text)}
  </bdi>
);

/** A sentence of ours that names outside things. */
export const Sentence = ({ text }: { text: string }) => (
  <bdi dir="ltr" class="sentence">
    {visible(text)}
  </bdi>
);

/** The first digits of a digest; all of them on hover. */
export const Digest = ({ hex }: { hex: string }) => (
  <code class="digest" title={hex}>
    {hex.slice(0, 12)}…
  </code>
);

/** From one to the next; a shape, because not every font has the arrow. */
export const Arrow = () => (
  <svg class="arrow" viewBox="0 0 16 12" role="img" aria-label="to">
    <path d="M1 6h12M9 2l4.5 4L9 10" />
  </svg>
);

/** A sentence of ours in which one thing leads to another: the arrows are drawn. */
export const Led = ({ text }: { text: string }) => (
  <>
    {text.split(' → ').map((part, i) => (
      <span key={`${i} ${part}`}>
        {i === 0 ? null : (
          <>
            {' '}
            <Arrow />{' '}
          </>
        )}
        <Sentence text={part} />
      </span>
    ))}
  </>
);

/** A list of names, or a word for none. */
export const Names = ({ list, none }: { list: readonly string[]; none: string }) =>
  list.length === 0 ? (
    <span class="muted">{none}</span>
  ) : (
    <ul class="names">
      {list.map((text) => (
        <li key={text}>
          <Name text={text} mono />
        </li>
      ))}
    </ul>
  );

/** A term and what it is, in a description list; left out when there is nothing to say. */
export const Fact = ({ term, children }: { term: string; children: ComponentChildren }) =>
  children === null || children === undefined || children === false ? null : (
    <div class="fact">
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
