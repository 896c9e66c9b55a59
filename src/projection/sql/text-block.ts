/** Texts end to end in UTF-8, and where each one lies: they reach the server as they are, escaped nowhere. */
export interface TextBlock {
  readonly bytes: Buffer;
  readonly places: readonly Place[];
}

/** In bytes, counted from 1 as PostgreSQL's `substring` does. */
export type Place = readonly [from: number, length: number];

export function textBlock(texts: readonly string[]): TextBlock {
  let next = 1;
  const places = texts.map((text): Place => {
    const place: Place = [next, Buffer.byteLength(text)];
    next += place[1];
    return place;
  });
  const bytes = Buffer.allocUnsafe(next - 1);
  for (const [i, [from]] of places.entries()) bytes.write(texts[i] ?? '', from - 1);
  return { bytes, places };
}

/** The text at a place (int[]) of a block, in SQL. */
export const textAt = (block: string, place: string): string =>
  `convert_from(substring(${block}::bytea from ${place}[1] for ${place}[2]), 'UTF8')`;
