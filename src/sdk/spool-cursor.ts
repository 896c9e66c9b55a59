import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from './spool-reader.ts';

/** The name of a segment: its age, and then `.spool`. */
export const SEGMENT = /^[0-9]{16}\.spool$/;
const CURSOR = 'cursor';

/** Up to where a spool was delivered; undefined when nothing was. */
export function readCursor(folder: string): Position | undefined {
  try {
    const [segment, offset] = readFileSync(join(folder, CURSOR), 'utf8').split(' ');
    return segment !== undefined && SEGMENT.test(segment) && offset !== undefined && /^\d{1,12}$/.test(offset)
      ? { segment, offset: Number(offset) }
      : undefined;
  } catch {
    return undefined; // nothing was delivered yet
  }
}

/** A rename is whole or not there: a crash leaves the cursor before it. */
export function writeCursor(folder: string, { segment, offset }: Position): void {
  const next = join(folder, `${CURSOR}.next`);
  writeFileSync(next, `${segment} ${offset}`, { mode: 0o600 });
  renameSync(next, join(folder, CURSOR));
}
