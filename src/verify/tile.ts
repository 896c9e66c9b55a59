import { parseDecimal } from './decimal.ts';
import { malformed } from './verification-error.ts';

/** Hashes in a full tile, and entries in a full bundle (C2SP tlog-tiles v0.1.0). */
export const TILE_WIDTH = 256;

/** 1 to 256 hashes of one level: hash i is that of leaves (index * 256 + i) * 256^level, 256^level of them. */
export interface Tile {
  readonly level: number; // 0..63
  readonly index: bigint; // below 2^56
  readonly width: number; // 1..256
}

/** What a path under a log's address names. */
export type TilePath =
  | ({ readonly kind: 'tile' } & Tile)
  | { readonly kind: 'entries'; readonly index: bigint; readonly width: number };

/** `tile/<level>/<index>[.p/<width>]`, relative to the log's address. Throws VerificationError `malformed` out of range. */
export function tilePath(level: number, index: bigint, width = TILE_WIDTH): string {
  if (!Number.isInteger(level) || level < 0 || level > 63) malformed(`tile: expected a level of 0 to 63, got ${level}`);
  return `tile/${level}/${indexPath(index, width)}`;
}

/** `tile/entries/<index>[.p/<width>]`, relative to the log's address. Throws VerificationError `malformed` out of range. */
export function entryBundlePath(index: bigint, width = TILE_WIDTH): string {
  return `tile/entries/${indexPath(index, width)}`;
}

/** Reads a path as tilePath and entryBundlePath write it; throws VerificationError `malformed` on any other. */
export function parseTilePath(path: string): TilePath {
  const shape = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,6}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;
  const [, kind, groups, partial] = shape.exec(path) ?? [];
  if (kind === undefined || groups === undefined) malformed('tile path: expected tile/<level>/<index>[.p/<width>]');
  const index = BigInt(groups.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(parseDecimal(partial, 'tile path width'));
  const parsed: TilePath =
    kind === 'entries' ? { kind, index, width } : { kind: 'tile', level: Number(kind), index, width };
  if (formatTilePath(parsed) !== path) malformed('tile path: expected its shortest form');
  return parsed;
}

/** How many hashes of the tile a tree of this size has: 0 to 256. */
export function tileWidth(level: number, index: bigint, size: bigint): number {
  const beyond = (size >> BigInt(8 * level)) - index * BigInt(TILE_WIDTH);
  return beyond <= 0n ? 0 : beyond >= TILE_WIDTH ? TILE_WIDTH : Number(beyond);
}

function formatTilePath(path: TilePath): string {
  return path.kind === 'entries'
    ? entryBundlePath(path.index, path.width)
    : tilePath(path.level, path.index, path.width);
}

function indexPath(index: bigint, width: number): string {
  if (index < 0n || index >= 2n ** 56n) malformed(`tile: expected an index of 0 to 2^56 - 1, got ${index}`);
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    malformed(`tile: expected a width of 1 to 256, got ${width}`);
  }
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}
