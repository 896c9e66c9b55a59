import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Backlog, type Batch, MAX_BATCH, MAX_BATCH_BYTES, type Waiting } from './backlog.ts';
import { FrameGroup } from './frame-group.ts';
import { harmless } from './harmless.ts';
import { framedSize, putRecord } from './otlp-record.ts';
import { SegmentFile } from './segment-file.ts';
import { readCursor, SEGMENT, writeCursor } from './spool-cursor.ts';
import { encodeFrame, type FrameKind, formatSegmentHead } from './spool-frame.ts';
import { SpoolReader } from './spool-reader.ts';
import { surveySpool } from './spool-survey.ts';

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
  /** Told of observations that were taken and then could not be written. */
  readonly onLost: (count: number) => void;
}

const SYNC_INTERVAL_MS = 1_000;
const LOST_INTERVAL_MS = 1_000;
/** A disk that is full or broken is not asked for every observation. */
const FAILURE_PAUSE_MS = 1_000;
const NOTHING = new Uint8Array();
/** A group is written at once when it is so large. */
const MAX_GROUP_BYTES = 256 * 1024;

/**
 * A backlog on disk: segments of frames, deleted when what they hold was delivered, and a cursor that says up to where.
 * What is taken in one turn of the event loop is written together at its end; when `durable` resolves it is in the system's
 * cache at least, and survives the process. A crash between a delivery and the cursor sends some observations again, under
 * their ids. At most `maxBytes`, endings apart.
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
  readonly #group = new FrameGroup();
  #writing: NodeJS.Immediate | undefined;
  #written: PromiseWithResolvers<void> | undefined;
  #bytes = 0;
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
    for (const { size } of this.#segments) this.#bytes += size;
    const from = readCursor(o.folder);
    const { lastSequence, waiting } = surveySpool(o.folder, names, from);
    this.lastSequence = lastSequence;
    this.#pending = waiting;
    const segments = () => this.#segments.map(({ name }) => name);
    this.#reader = new SpoolReader({ ...o, segments, from });
    unwritten.add(this);
    if (o.fsync === 'interval') {
      this.#timer = setInterval(() => void this.#sync(), SYNC_INTERVAL_MS);
      this.#timer.unref();
    }
  }

  get pending(): number {
    return this.#pending;
  }

  get full(): boolean {
    return this.#bytes + this.#group.size >= this.#o.maxBytes || Date.now() < this.#failedUntil;
  }

  add({ sequence, record }: Waiting): boolean {
    if (this.full) return false;
    this.#append('whole', sequence, record);
    this.#pending += 1;
    return true;
  }

  hold({ sequence, record }: Waiting): boolean {
    if (this.full) return false;
    this.#append('held', sequence, record);
    this.#open.add(sequence);
    return true;
  }

  /** An ending that cannot be written leaves its observation held: the next run delivers it, its ending unknown. */
  complete(sequence: number, ending: Uint8Array): void {
    if (!this.#open.delete(sequence)) return;
    this.#append('ending', sequence, ending);
    this.#pending += 1;
  }

  durable(): Promise<void> | undefined {
    if (this.#group.size > 0) {
      this.#written ??= Promise.withResolvers();
      return this.#o.fsync === 'each' ? this.#written.promise.then(() => this.#sync()) : this.#written.promise;
    }
    return this.#o.fsync === 'each' && this.#dirty ? this.#sync() : undefined;
  }

  write(): void {
    clearImmediate(this.#writing);
    this.#writing = undefined;
    if (this.#group.size > 0) this.#writeGroup();
    this.#written?.resolve();
    this.#written = undefined;
  }

  take(): Batch | undefined {
    this.write();
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
    this.write();
    unwritten.delete(this);
    clearInterval(this.#timer);
    this.#file?.close();
    this.#file = undefined;
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
      const { name, size } = this.#segments.shift() ?? { name: '', size: 0 };
      this.#bytes -= size;
      rmSync(join(this.#o.folder, name), { force: true });
    }
  }

  #append(kind: FrameKind, sequence: number, payload: Uint8Array): void {
    this.#group.add({ kind, sequence, payload });
    this.#lastAppended = Math.max(this.#lastAppended, sequence);
    if (this.#group.size >= Math.min(MAX_GROUP_BYTES, this.#segmentBytes / 4)) this.write();
    else this.#writing ??= setImmediate(() => this.write());
  }

  /** All of the group or nothing of it. */
  #writeGroup(): void {
    const group = this.#group;
    const done = harmless('writing to the spool', () => {
      this.#fileFor().append(group.bytes);
      return true;
    });
    if (done === true) this.#grow(group.size);
    else this.#giveUp();
    group.clear();
  }

  #grow(size: number): void {
    const segment = this.#segments.at(-1);
    if (segment !== undefined) segment.size += size;
    this.#bytes += size;
    this.#dirty = true;
  }

  /** What was to be written is lost; endings among it leave their observations held. */
  #giveUp(): void {
    this.#leaveFile(); // the next write begins a segment
    this.#failedUntil = Date.now() + FAILURE_PAUSE_MS;
    const { kept, complete, held } = this.#group;
    this.#pending = Math.max(0, this.#pending - complete);
    for (const sequence of held) this.#open.delete(sequence);
    if (kept > 0) this.#o.onLost(kept);
  }
  #failedUntil = 0;
  #lastAppended = 0;

  #fileFor(): SegmentFile {
    if (this.#file !== undefined && this.#file.size >= this.#segmentBytes) this.#leaveFile();
    this.#file ??= this.#newFile(this.#lastAppended);
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
    this.#bytes += head.length;
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
}

/** What a host recorded just before it ends by itself. */
const unwritten = new Set<Spool>();
process.once('exit', () => {
  for (const spool of unwritten) spool.write();
});

/** A disk that cannot sync must not fail the host's request; what is written is still in the system's cache. */
function sayUnsynced(error: unknown): void {
  harmless('forcing the spool to disk', () => {
    throw error;
  });
}
