import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Puts text on a terminal: colour only when wanted, and never what somebody else's text wants. */
export type Paint = (style: Style, text: string) => string;

export const painter = (color: boolean): Paint =>
  color ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text;

// Names and reasons come from whoever sends telemetry: escape sequences and direction marks would let them rewrite the
// screen (CVE-2021-42574 and its kin). They are shown as U+FFFD.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** Text from outside as a terminal may show it, at most `limit` characters. */
export function clean(text: string, limit = 300): string {
  const safe = text.replace(UNPRINTABLE, '\u{fffd}');
  return safe.length > limit ? `${safe.slice(0, limit - 1)}…` : safe;
}

/** Breaks at spaces into lines of at most `width` characters; a longer word is cut. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ').flatMap((each) => pieces(each, width))) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const pieces = (word: string, width: number): string[] =>
  word.length <= width ? [word] : (word.match(new RegExp(`.{1,${width}}`, 'gs')) ?? []);
