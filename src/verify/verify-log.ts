import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { GrowingTree, type GrownTile } from './growing-tree.ts';
import { type Fetch, LogClient } from './log-client.ts';
import { readCheckpoint, readEntries, readTile } from './log-resources.ts';
import { readAhead } from './read-ahead.ts';
import { TILE_WIDTH, tilePath, tileWidth } from './tile.ts';
import { hashAt } from './tile-hashes.ts';
import { HASH_BYTES, leafHash, sameHash } from './tree-hash.ts';
import { VerificationError } from './verification-error.ts';

export interface VerifyLogOptions {
  readonly url: string; // the log's address: /checkpoint and /tile/… are below it
  readonly verifierKey: string; // from a source the caller trusts, not from the log
  readonly previous?: string; // the note of a report the caller kept
  readonly onProgress?: (entries: bigint, size: bigint) => void;
  readonly fetch?: Fetch;
  readonly timeoutMs?: number; // per request, 30 000 unless told
}

/** What was examined. */
export interface LogReport {
  readonly checkpoint: Checkpoint;
  readonly note: string; // the signed checkpoint: keep it, and give it as `previous` next time
  readonly entries: bigint; // read and hashed: all of them
  readonly tiles: bigint; // read and compared: all of them, every level
  readonly previous?: Checkpoint; // the tree was found to begin with this one
}

/** Bundles and their tiles that may be in memory at once: 16.8 MB each at most, about 150 kB in practice. */
const AHEAD = 4;
const TIMEOUT_MS = 30_000;

/**
 * Reads a whole log over HTTP (C2SP tlog-tiles) and recomputes it from its entries' bytes: every leaf against its level-0
 * tile, every tile above, the signed root, and the root at the previous checkpoint's size. Trusts the key and the previous
 * checkpoint alone. Throws VerificationError at the first difference met, `index` naming the first leaf concerned, and
 * `empty_log` when there was nothing to examine. Memory does not grow with the log.
 */
export async function verifyLog(options: VerifyLogOptions): Promise<LogReport> {
  const abort = new AbortController();
  const client = new LogClient({ ...connection(options), signal: abort.signal });
  try {
    const note = await readCheckpoint(client);
    const checkpoint = await openCheckpoint(note, options.verifierKey);
    const previous = await openPrevious(options, checkpoint);
    const tiles = await walk(client, checkpoint, previous, options.onProgress);
    return { checkpoint, note, entries: checkpoint.size, tiles, ...(previous === undefined ? {} : { previous }) };
  } finally {
    abort.abort(); // whatever was read ahead
  }
}

function connection({ url, fetch: given, timeoutMs = TIMEOUT_MS }: VerifyLogOptions) {
  return { url, timeoutMs, fetch: given ?? ((address: string, init: { signal: AbortSignal }) => fetch(address, init)) };
}

async function openPrevious(options: VerifyLogOptions, checkpoint: Checkpoint): Promise<Checkpoint | undefined> {
  const previous =
    options.previous === undefined ? undefined : await openCheckpoint(options.previous, options.verifierKey);
  if (previous !== undefined && previous.size > checkpoint.size) {
    throw new VerificationError(
      'consistency',
      `the log went back: it had ${previous.size} entries at the previous checkpoint, and has ${checkpoint.size} now`,
    );
  }
  if (checkpoint.size === 0n) {
    throw new VerificationError(
      'empty_log',
      'the log is empty: its checkpoint is signed, and there is no entry to verify',
    );
  }
  return previous;
}

/** Returns how many tiles were compared. */
async function walk(
  client: LogClient,
  checkpoint: Checkpoint,
  previous: Checkpoint | undefined,
  onProgress: VerifyLogOptions['onProgress'],
): Promise<bigint> {
  const { size, root } = checkpoint;
  const tree = new GrowingTree();
  let [index, tiles] = [0n, 0n];
  for await (const leaves of readAhead(bundlesOf(size), AHEAD, (n) => readLeaves(client, n, size))) {
    const start = index * BigInt(TILE_WIDTH);
    checkPrevious(tree, start, leaves, previous);
    const filled = tree.add(leaves).filter((tile) => tile.level > 0);
    await compareAll(client, filled);
    tiles += 1n + BigInt(filled.length);
    index += 1n;
    onProgress?.(start + BigInt(leaves.length / HASH_BYTES), size);
  }
  const unfinished = tree.unfinished().filter((tile) => tile.level > 0);
  await compareAll(client, unfinished);
  if (!sameHash(tree.root(), root)) {
    throw new VerificationError(
      'root_mismatch',
      `the ${size} entries do not hash to the root of the signed checkpoint`,
    );
  }
  return tiles + BigInt(unfinished.length);
}

const bundlesOf = (size: bigint): bigint => (size + BigInt(TILE_WIDTH) - 1n) / BigInt(TILE_WIDTH);

/** The leaf hashes of one bundle's entries, compared with the level-0 tile beside it. */
async function readLeaves(client: LogClient, index: bigint, size: bigint): Promise<Uint8Array> {
  const width = tileWidth(0, index, size);
  const tile = { level: 0, index, width };
  const [entries, served] = await Promise.all([readEntries(client, index, width), readTile(client, tile)]);
  const leaves = new Uint8Array(width * HASH_BYTES);
  for (const [i, entry] of entries.entries()) leaves.set(leafHash(entry), i * HASH_BYTES);
  const i = firstDifference(leaves, served);
  if (i === undefined) return leaves;
  const leaf = index * BigInt(TILE_WIDTH) + BigInt(i);
  throw new VerificationError(
    'entry_mismatch',
    `entry ${leaf}: its bytes do not hash to the leaf in ${tilePath(0, index, width)}`,
    { index: leaf },
  );
}

/** Where the previous checkpoint ends within these leaves, the root so far must be the one it signed. */
function checkPrevious(tree: GrowingTree, start: bigint, leaves: Uint8Array, previous: Checkpoint | undefined): void {
  const count = previous === undefined ? 0n : previous.size - start;
  if (previous === undefined || count <= 0n || count > BigInt(leaves.length / HASH_BYTES)) return;
  if (sameHash(tree.root(leaves.subarray(0, Number(count) * HASH_BYTES)), previous.root)) return;
  throw new VerificationError(
    'consistency',
    `the log was rewritten: its first ${previous.size} entries do not hash to the root of the previous checkpoint`,
  );
}

async function compareAll(client: LogClient, tiles: readonly GrownTile[]): Promise<void> {
  for (const tile of tiles) {
    const i = firstDifference(tile.hashes, await readTile(client, tile));
    if (i === undefined) continue;
    throw new VerificationError(
      'tile_mismatch',
      `${tilePath(tile.level, tile.index, tile.width)}: hash ${i} is not that of the entries below it`,
      { index: (tile.index * BigInt(TILE_WIDTH) + BigInt(i)) << BigInt(8 * tile.level) },
    );
  }
}

/** The first of the 32-byte hashes that differs. */
function firstDifference(computed: Uint8Array, served: Uint8Array): number | undefined {
  for (let i = 0; i * HASH_BYTES < computed.length; i += 1) {
    if (!sameHash(hashAt(computed, i), hashAt(served, i))) return i;
  }
  return undefined;
}
