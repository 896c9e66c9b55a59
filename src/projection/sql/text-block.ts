/** Texts end to end in UTF-8, and where each one lies: they reach the server as they are, escaped nowhere. */
export interface TextBlock {
  readonly bytes: Buffer;
  readonly places: readonly Place[];
}

/** From 1 on, in bytes, as PostgreSQL's `substring` counts. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

export function textBlock(texts: readonly string[]): TextBlock {
  let at = 1;
  const places = texts.map((text) => {
    const place = { at, length: Buffer.byteLength(text) };
    at += place.length;
    return place;
  });
  const bytes = Buffer.allocUnsafe(at - 1);
  for (const [i, { at: from }] of places.entries()) bytes.write(texts[i] ?? '', from - 1);
  return { bytes, places };
}

/** The text at a place of a block, in SQL. */
export const textAt = (block: string, at: string, length: string): string =>
  `convert_from(substring(${block}::bytea from ${at} for ${length}), 'UTF8')`;
