import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Backlog, type Batch, MAX_BATCH, MAX_BATCH_BYTES, type Waiting } from './backlog.ts';
import { harmless } from './harmless.ts';
import { framedSize, putRecord } from './otlp-record.ts';
import { SegmentFile } from './segment-file.ts';
import { encodeFrame, type FrameKind, formatSegmentHead, parseFrame } from './spool-frame.ts';
import { type Position, SpoolReader } from './spool-reader.ts';

/** When what was written is forced to the disk. A crash of the process loses nothing in any case, one of the machine does. */
export type FsyncPolicy = 'each' | 'interval' | 'never';

export interface SpoolFolder {
  /** Of this sender alone. */
  readonly folder: string;
  readonly maxBytes: number;
  readonly fsync: FsyncPolicy;
  /** This process. */
  readonly run: string;
  /** A Resource message. */
  readonly resource: Uint8Array;
  readonly abandonedEnding: () => Uint8Array;
}

const SEGMENT = /^[0-9]{16}\.spool$/;
const CURSOR = 'cursor';
const SYNC_INTERVAL_MS = 1_000;
const LOST_INTERVAL_MS = 1_000;
/** A disk that is full or broken is not asked for every observation. */
const FAILURE_PAUSE_MS = 1_000;
const NOTHING = new Uint8Array();

/**
 * A backlog on disk: segments of frames, deleted when what they hold was delivered, and a cursor that says up to where.
 * A write is in the system's cache before `add` and `hold` return, so that it survives the process. A crash between a
 * delivery and the cursor sends some observations again, under their ids. At most `maxBytes`, endings apart.
 */
export class Spool implements Backlog {
  /** The highest sequence number in use, by this run or those before. */
  readonly lastSequence: number;
  readonly #o: SpoolFolder;
  readonly #segments: { readonly name: string; size: number }[];
  readonly #reader: SpoolReader;
  readonly #open = new Set<number>();
  readonly #segmentBytes: number;
  #file: SegmentFile | undefined;
  #pending = 0;
  #batch: Batch | undefined;
  #dirty = false;
  #syncing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lostNotedAt = 0;

  /** Reads what earlier runs left. Throws what the file system says. */
  constructor(o: SpoolFolder) {
    this.#o = o;
    this.#segmentBytes = Math.min(4 * 1024 * 1024, Math.ceil(o.maxBytes / 4));
    const names = readdirSync(o.folder)
      .filter((name) => SEGMENT.test(name))
      .toSorted();
    this.#segments = names.map((name) => ({ name, size: statSync(join(o.folder, name)).size }));
    const from = readCursor(o.folder);
    this.lastSequence = this.#survey(from);
    const segments = () => this.#segments.map(({ name }) => name);
    this.#reader = new SpoolReader({ ...o, segments, from });
    if (o.fsync === 'interval') {
      this.#timer = setInterval(() => void this.#sync(), SYNC_INTERVAL_MS);
      this.#timer.unref();
    }
  }

  get pending(): number {
    return this.#pending;
  }

  get full(): boolean {
    return this.#bytes() >= this.#o.maxBytes || Date.now() < this.#failedUntil;
  }

  add({ sequence, record }: Waiting): boolean {
    if (this.full || !this.#append('whole', sequence, record)) return false;
    this.#pending += 1;
    return true;
  }

  hold({ sequence, record }: Waiting): boolean {
    if (this.full || !this.#append('held', sequence, record)) return false;
    this.#open.add(sequence);
    return true;
  }

  /** An ending that cannot be written leaves its observation held: the next run delivers it, its ending unknown. */
  complete(sequence: number, ending: Uint8Array): void {
    if (!this.#open.delete(sequence)) return;
    if (this.#append('ending', sequence, ending)) this.#pending += 1;
  }

  durable(): Promise<void> | undefined {
    return this.#o.fsync === 'each' && this.#dirty ? this.#sync() : undefined;
  }

  take(): Batch | undefined {
    this.#batch ??= harmless('reading the spool', () => this.#read());
    return this.#batch;
  }

  settle(): void {
    if (this.#batch === undefined) return;
    this.#pending = Math.max(0, this.#pending - this.#batch.count);
    this.#batch = undefined;
    harmless('clearing the spool', () => this.#release());
  }

  noteLost(sequence: number): void {
    if (Date.now() - this.#lostNotedAt < LOST_INTERVAL_MS) return;
    this.#lostNotedAt = Date.now();
    this.#append('lost', sequence, NOTHING);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#file?.close();
    this.#file = undefined;
  }

  /** Waiting observations and the highest sequence number, from the cursor on. Segments before it were delivered. */
  #survey(from: Position | undefined): number {
    let last = 0;
    const held = new Set<number>();
    for (const { name } of this.#segments) {
      const isDelivered = from !== undefined && name < from.segment;
      const bytes = readFileSync(join(this.#o.folder, name));
      for (let at = 0; ; ) {
        const frame = parseFrame(bytes, at);
        if (typeof frame === 'string') break;
        last = Math.max(last, frame.sequence);
        const isNew = !isDelivered && (from?.segment !== name || at >= from.offset);
        const isHeld = frame.kind === 'held' && !held.has(frame.sequence);
        if (isNew && (frame.kind === 'whole' || isHeld)) this.#pending += 1;
        if (isHeld) held.add(frame.sequence);
        at = frame.end;
      }
    }
    return last;
  }

  #read(): Batch | undefined {
    const records: (readonly Uint8Array[])[] = [];
    let resource: Uint8Array | undefined;
    let size = 0;
    while (records.length < MAX_BATCH && size < MAX_BATCH_BYTES) {
      const next = this.#reader.next(resource);
      if (next === undefined) break;
      resource = next.resource;
      records.push(next.parts);
      size += framedSize(next.parts);
    }
    if (resource === undefined) return undefined;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const parts of records) at = putRecord(bytes, at, parts);
    return { resource, count: records.length, pieces: [bytes] };
  }

  /** Keeps the newest segment in any case: it says which numbers are used. */
  #release(): void {
    for (const [sequence, record] of [...this.#reader.heldBehind()]) {
      // A request that lasts does not keep the segments behind it.
      if (this.#open.has(sequence)) this.#append('held', sequence, record);
    }
    const safe = this.#reader.safePosition();
    if (safe === undefined) return;
    writeCursor(this.#o.folder, safe);
    while (this.#segments.length > 1 && (this.#segments[0]?.name ?? '') < safe.segment) {
      rmSync(join(this.#o.folder, this.#segments.shift()?.name ?? ''), { force: true });
    }
  }

  /** False when it could not be written; then nothing of it is there. */
  #append(kind: FrameKind, sequence: number, payload: Uint8Array): boolean {
    const done = harmless('writing to the spool', () => {
      const frame = encodeFrame(kind, sequence, payload);
      this.#fileFor(sequence).append(frame);
      const segment = this.#segments.at(-1);
      if (segment !== undefined) segment.size += frame.length;
      this.#dirty = true;
      return true;
    });
    if (done === true) return true;
    this.#leaveFile(); // the next write begins a segment
    this.#failedUntil = Date.now() + FAILURE_PAUSE_MS;
    return false;
  }
  #failedUntil = 0;

  #fileFor(sequence: number): SegmentFile {
    if (this.#file !== undefined && this.#file.size >= this.#segmentBytes) this.#leaveFile();
    this.#file ??= this.#newFile(sequence);
    return this.#file;
  }

  #newFile(sequence: number): SegmentFile {
    const newest = Number.parseInt(this.#segments.at(-1)?.name ?? '0', 10);
    const name = `${Math.max(newest + 1, sequence)
      .toString()
      .padStart(16, '0')}.spool`;
    const file = new SegmentFile(join(this.#o.folder, name));
    const head = encodeFrame('segment', 0, formatSegmentHead(this.#o));
    try {
      file.append(head);
    } catch (error) {
      file.close();
      rmSync(file.path, { force: true });
      throw error;
    }
    this.#segments.push({ name, size: head.length });
    return file;
  }

  #leaveFile(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    if (this.#o.fsync === 'never') {
      file.close();
      return;
    }
    const left = this.#leaving;
    this.#leaving = file
      .sync()
      .catch(sayUnsynced)
      .finally(() => file.close())
      .then(() => left);
  }
  #leaving: Promise<void> = Promise.resolve();

  /** One at a time: whoever waits while one runs waits for the next, which all of them share. */
  #sync(): Promise<void> {
    const run = async (): Promise<void> => {
      await this.#running;
      this.#syncing = undefined;
      if (!this.#dirty) return;
      this.#dirty = false;
      this.#running = this.#file?.sync().catch(sayUnsynced);
      await this.#running;
      await this.#leaving;
    };
    this.#syncing ??= run();
    return this.#syncing;
  }
  #running: Promise<void> | undefined;

  #bytes(): number {
    let size = 0;
    for (const segment of this.#segments) size += segment.size;
    return size;
  }
}

/** A disk that cannot sync must not fail the host's request; what is written is still in the system's cache. */
function sayUnsynced(error: unknown): void {
  harmless('forcing the spool to disk', () => {
    throw error;
  });
}

function readCursor(folder: string): Position | undefined {
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
function writeCursor(folder: string, { segment, offset }: Position): void {
  const next = join(folder, `${CURSOR}.next`);
  writeFileSync(next, `${segment} ${offset}`, { mode: 0o600 });
  renameSync(next, join(folder, CURSOR));
}
