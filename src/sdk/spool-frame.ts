import { crc32 } from 'node:zlib';

/**
 * What a spool's segment holds. `segment` opens each file: which process wrote it, and the resource of its records.
 * `whole`: an observation. `held`: one whose ending is to come; `ending`: that ending. `lost`: numbers up to here are used.
 */
export type FrameKind = 'segment' | 'whole' | 'held' | 'ending' | 'lost';

export interface Frame {
  readonly kind: FrameKind;
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** Where the next frame begins. */
  readonly end: number;
}

const KINDS: readonly FrameKind[] = ['segment', 'whole', 'held', 'ending', 'lost'];
/** Length (4 bytes) and CRC-32 (4), then what they cover: kind (1), sequence (6), payload. */
const HEAD = 8;
const FIXED = 7;
const MAX_FRAME = 4 * 1024 * 1024;

export const frameSize = (payload: Uint8Array): number => HEAD + FIXED + payload.length;

/** Writes a frame; gives where the next one goes. */
export function putFrame(
  bytes: Buffer,
  at: number,
  { kind, sequence, payload }: Pick<Frame, 'kind' | 'sequence' | 'payload'>,
): number {
  const end = at + frameSize(payload);
  bytes.writeUInt32BE(FIXED + payload.length, at);
  bytes[at + HEAD] = KINDS.indexOf(kind);
  bytes.writeUIntBE(sequence, at + HEAD + 1, 6);
  bytes.set(payload, at + HEAD + FIXED);
  bytes.writeUInt32BE(crc32(bytes.subarray(at + HEAD, end)), at + 4);
  return end;
}

export function encodeFrame(kind: FrameKind, sequence: number, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(frameSize(payload));
  putFrame(bytes, 0, { kind, sequence, payload });
  return bytes;
}

/** The frame that begins at `at`. `short`: it is not all there, as after a write that a crash cut off; `broken`: it is none. */
export function parseFrame(bytes: Buffer, at: number): Frame | 'short' | 'broken' {
  if (at + HEAD > bytes.length) return 'short';
  const length = bytes.readUInt32BE(at);
  if (length < FIXED || length > MAX_FRAME) return 'broken';
  const end = at + HEAD + length;
  if (end > bytes.length) return 'short';
  const covered = bytes.subarray(at + HEAD, end);
  const kind = KINDS[covered[0] ?? KINDS.length];
  if (crc32(covered) !== bytes.readUInt32BE(at + 4) || kind === undefined) return 'broken';
  return { kind, sequence: covered.readUIntBE(1, 6), payload: covered.subarray(FIXED), end };
}

/** What the first frame of a segment says. */
export interface SegmentHead {
  /** The process that wrote it; observations held by another one will get no ending any more. */
  readonly run: string;
  /** A Resource message. */
  readonly resource: Uint8Array;
}

export const formatSegmentHead = ({ run, resource }: SegmentHead): Uint8Array =>
  Buffer.from(JSON.stringify({ v: 1, run, resource: Buffer.from(resource).toString('base64') }));

/** Undefined for what this version did not write. */
export function parseSegmentHead(payload: Uint8Array): SegmentHead | undefined {
  const head: unknown = JSON.parse(Buffer.from(payload).toString());
  if (typeof head !== 'object' || head === null || !('v' in head) || head.v !== 1) return undefined;
  if (!('run' in head) || typeof head.run !== 'string') return undefined;
  if (!('resource' in head) || typeof head.resource !== 'string') return undefined;
  return { run: head.run, resource: Buffer.from(head.resource, 'base64') };
}
