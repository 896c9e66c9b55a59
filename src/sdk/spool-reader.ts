import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type Frame, parseFrame, parseSegmentHead } from './spool-frame.ts';

/** Where a frame stands. Segment names sort by age. */
export interface Position {
  readonly segment: string;
  readonly offset: number;
}

/** An observation in the order of its completion. */
export interface SpooledRecord {
  readonly parts: readonly Uint8Array[];
  readonly resource: Uint8Array;
}

export interface ReaderOptions {
  readonly folder: string;
  /** Names of the segments, oldest first. */
  readonly segments: () => readonly string[];
  /** The run that is writing. */
  readonly run: string;
  /** The ending of an observation whose process died before it had one. */
  readonly abandonedEnding: () => Uint8Array;
  readonly from: Position | undefined;
}

interface Held extends Position {
  readonly record: Uint8Array;
}

const CHUNK = 256 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Reads the frames of a spool in order, behind the writer, and puts held observations and their endings together. Holds
 * those of requests in flight in memory, and one chunk of a segment.
 */
export class SpoolReader {
  readonly #o: ReaderOptions;
  readonly #held = new Map<number, Held>();
  readonly #ready: SpooledRecord[] = [];
  #segment: string | undefined;
  #offset = 0;
  #chunk = NOTHING;
  #chunkAt = 0;
  #run = '';
  #resource: Uint8Array = NOTHING;

  constructor(o: ReaderOptions) {
    this.#o = o;
    if (o.from === undefined || !o.segments().includes(o.from.segment)) return;
    this.#enter(o.from.segment);
    const head = this.#frame();
    if (head?.kind === 'segment') this.#begin(head.payload);
    this.#offset = Math.max(this.#offset, o.from.offset);
  }

  /** The next observation; undefined when there is none yet, or none of `resource` next. */
  next(resource: Uint8Array | undefined): SpooledRecord | undefined {
    const [ready] = this.#ready;
    if (ready !== undefined) {
      const fits = resource === undefined || Buffer.compare(resource, ready.resource) === 0;
      return fits ? this.#ready.shift() : undefined;
    }
    for (let frame = this.#frame(); frame !== undefined; frame = this.#frame()) {
      const record = this.#put(frame);
      if (record !== undefined) this.#ready.push(record);
      if (this.#ready.length > 0) return this.next(resource);
    }
    return this.#ready.length > 0 ? this.next(resource) : undefined;
  }

  /** Everything before it is not needed once what was read is settled; undefined while that is not known. */
  safePosition(): Position | undefined {
    if (this.#ready.length > 0 || this.#segment === undefined) return undefined;
    const [oldest] = this.#held.values();
    return oldest ?? { segment: this.#segment, offset: this.#offset };
  }

  /** Held observations that stand in segments before the one being read. */
  *heldBehind(): Iterable<readonly [sequence: number, record: Uint8Array]> {
    for (const [sequence, { segment, record }] of this.#held)
      if (this.#segment !== undefined && segment < this.#segment) yield [sequence, record];
  }

  #put(frame: Frame): SpooledRecord | undefined {
    const { kind, sequence, payload } = frame;
    if (kind === 'whole') return { parts: [Buffer.from(payload)], resource: this.#resource };
    if (kind === 'held') this.#hold(sequence, Buffer.from(payload));
    if (kind === 'ending') return this.#end(sequence, Buffer.from(payload));
    if (kind === 'segment') this.#begin(payload);
    return undefined;
  }

  #hold(sequence: number, record: Uint8Array): void {
    this.#held.delete(sequence); // one that was copied on is behind those that stand before it
    this.#held.set(sequence, { record, segment: this.#segment ?? '', offset: this.#lastOffset });
  }

  #end(sequence: number, ending: Uint8Array): SpooledRecord | undefined {
    const held = this.#held.get(sequence);
    this.#held.delete(sequence);
    return held && { parts: [held.record, ending], resource: this.#resource };
  }

  #begin(payload: Uint8Array): void {
    const head = parseSegmentHead(payload);
    if (head === undefined) return;
    if (head.run !== this.#run) this.#abandon();
    this.#run = head.run;
    if (Buffer.compare(head.resource, this.#resource) !== 0) this.#resource = head.resource;
  }

  /** The process that held them is gone. */
  #abandon(): void {
    for (const { record } of this.#held.values())
      this.#ready.push({ parts: [record, Buffer.from(this.#o.abandonedEnding())], resource: this.#resource });
    this.#held.clear();
  }

  /** The next frame; undefined at the end of what is written. What a crash left half written is stepped over. */
  #frame(): Frame | undefined {
    for (;;) {
      if (this.#segment === undefined && !this.#enterNext()) return undefined;
      const found = this.#parse();
      if (typeof found !== 'string') {
        this.#lastOffset = this.#offset;
        this.#offset = this.#chunkAt + found.end;
        return found;
      }
      if (!this.#enterNext()) {
        if (this.#run !== this.#o.run) this.#abandon();
        return undefined;
      }
    }
  }
  #lastOffset = 0;

  #parse(): Frame | 'short' | 'broken' {
    const found = parseFrame(this.#chunk, this.#offset - this.#chunkAt);
    if (found !== 'short') return found;
    for (let size = CHUNK; ; size *= 2) {
      this.#load(size);
      const again = parseFrame(this.#chunk, 0);
      if (again !== 'short' || this.#chunk.length < size) return again;
    }
  }

  #load(size: number): void {
    const bytes = Buffer.allocUnsafe(size);
    const file = openSync(join(this.#o.folder, this.#segment ?? ''), 'r');
    try {
      this.#chunk = bytes.subarray(0, readSync(file, bytes, 0, size, this.#offset));
      this.#chunkAt = this.#offset;
    } finally {
      closeSync(file);
    }
  }

  #enterNext(): boolean {
    const next = this.#o.segments().find((name) => this.#segment === undefined || name > this.#segment);
    if (next === undefined) return false;
    this.#enter(next);
    return true;
  }

  #enter(segment: string): void {
    this.#segment = segment;
    this.#offset = 0;
    this.#chunk = NOTHING;
    this.#chunkAt = 0;
  }
}
