import { createHash } from 'node:crypto';

/** Longest text, in bytes of UTF-8, that columns to search by hold as it is: index rows have a limit of about 2,700. */
const LONGEST = 512;
const KEPT = 64;

/**
 * Text as the projection's columns hold it, so that equal text is found and nothing else is: what PostgreSQL's text cannot
 * hold is replaced, and what its indexes cannot hold is its beginning and its SHA-256. Filters go through the same function.
 */
export function searchable(text: string): string {
  const storable = text.toWellFormed().replaceAll('\u0000', '\u{fffd}');
  if (Buffer.byteLength(storable) <= LONGEST) return storable;
  const digest = createHash('sha256').update(text.toWellFormed()).digest('hex');
  return `${storable.slice(0, KEPT).toWellFormed()}…sha256:${digest}`;
}
