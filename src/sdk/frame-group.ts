import { type Frame, frameSize, putFrame } from './spool-frame.ts';

const FIRST_BYTES = 16 * 1024;

/** Frames that are written to the disk together. */
export class FrameGroup {
  /** Observations that are nowhere else: whole ones, and those whose ending is to come. */
  kept = 0;
  /** Observations that are complete with this group. */
  complete = 0;
  /** Numbers of those whose ending is to come. */
  readonly held: number[] = [];
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** There until the next `add`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  add(frame: Pick<Frame, 'kind' | 'sequence' | 'payload'>): void {
    this.#makeRoom(frameSize(frame.payload));
    this.#size = putFrame(this.#bytes, this.#size, frame);
    if (frame.kind === 'whole' || frame.kind === 'held') this.kept += 1;
    if (frame.kind === 'whole' || frame.kind === 'ending') this.complete += 1;
    if (frame.kind === 'held') this.held.push(frame.sequence);
  }

  clear(): void {
    this.kept = 0;
    this.complete = 0;
    this.held.length = 0;
    this.#size = 0;
  }

  #makeRoom(size: number): void {
    if (this.#size + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#size + size));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}
