import type { Chain, Recorded } from './chain.ts';
import { type StitchOptions, stitch } from './stitch.ts';

/**
 * The chains as they were known at a tree size: what stitching gives of the entries with a leaf index below it, and of no
 * other. A log only grows, so the answer for one size is the same for ever.
 */
export const stitchAsOf = (recorded: readonly Recorded[], size: bigint, options?: StitchOptions): readonly Chain[] =>
  stitch(
    recorded.filter(({ leafIndex }) => leafIndex < size),
    options,
  );
