import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseFrame } from './spool-frame.ts';
import type { Position } from './spool-reader.ts';

/** What earlier runs left: the highest sequence number in use, and observations that wait from the cursor on. */
export function surveySpool(
  folder: string,
  segments: readonly string[],
  from: Position | undefined,
): { readonly lastSequence: number; readonly waiting: number } {
  let [lastSequence, waiting] = [0, 0];
  const held = new Set<number>();
  for (const name of segments) {
    const isDelivered = from !== undefined && name < from.segment;
    const bytes = readFileSync(join(folder, name));
    for (let at = 0; ; ) {
      const frame = parseFrame(bytes, at);
      if (typeof frame === 'string') break;
      lastSequence = Math.max(lastSequence, frame.sequence);
      const isNew = !isDelivered && (from?.segment !== name || at >= from.offset);
      const isHeld = frame.kind === 'held' && !held.has(frame.sequence);
      if (isNew && (frame.kind === 'whole' || isHeld)) waiting += 1;
      if (isHeld) held.add(frame.sequence);
      at = frame.end;
    }
  }
  return { lastSequence, waiting };
}
