import { QueryProblem } from './problem.ts';

/** The last row of a page: where the next one goes on. Opaque to callers; no secret. */
export type Place = readonly string[];

export const formatCursor = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64url');

/** Reads a cursor back; each part must fit its pattern. Throws QueryProblem. */
export function parseCursor(text: string, patterns: readonly RegExp[]): Place {
  const parts = partsOf(text);
  if (parts.length !== patterns.length || !patterns.every((pattern, i) => pattern.test(parts[i] ?? '')))
    throw new QueryProblem('invalid_parameter', 'cursor: expected the `next` of an earlier answer, unchanged');
  return parts;
}

function partsOf(text: string): readonly string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string') ? parts : [];
  } catch {
    return []; // not base64url, or not JSON
  }
}
