/** Sets texts beside each other in columns of equal width, each cell wrapped at spaces; row by row. */
export function besideEachOther(
  columns: readonly (readonly string[])[],
  { width, gap }: { readonly width: number; readonly gap: number },
): string {
  const each = Math.floor((width - gap * (columns.length - 1)) / columns.length);
  const rows = Math.max(0, ...columns.map((cells) => cells.length));
  return Array.from({ length: rows }, (_, row) =>
    rowOf(
      columns.map((cells) => wrap(cells[row] ?? '', each)),
      each,
      gap,
    ),
  ).join('\n\n');
}

function rowOf(cells: readonly (readonly string[])[], width: number, gap: number): string {
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines) => (lines[line] ?? '').padEnd(width))
      .join(' '.repeat(gap))
      .trimEnd(),
  ).join('\n');
}

/** Lines of at most `width` characters, broken at spaces; a longer word is cut into pieces. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const pieces = (word: string, width: number): string[] =>
  word.length <= width ? [word] : [word.slice(0, width), ...pieces(word.slice(width), width)];
