import { type AcceptedCheckpoint, checkPolicy } from './check-policy.ts';
import type { Checkpoint } from './checkpoint.ts';
import { GrowingTree, type GrownTile } from './growing-tree.ts';
import { firstDifference, type LeafReader, leafReader } from './leaf-reader.ts';
import { type Fetch, LogClient } from './log-client.ts';
import { readCheckpoint, readTile } from './log-resources.ts';
import { type Policy, policyOfLog } from './policy.ts';
import { readAhead } from './read-ahead.ts';
import { TILE_WIDTH, tilePath } from './tile.ts';
import { HASH_BYTES, sameHash } from './tree-hash.ts';
import { VerificationError } from './verification-error.ts';

export interface VerifyLogOptions {
  readonly url: string; // the log's address: /checkpoint and /tile/… are below it
  /** The log's key, or the policy that names its key and the witnesses: one of the two, from a source the caller trusts. */
  readonly verifierKey?: string;
  readonly policy?: Policy;
  /** The note of a report the caller kept, or what finds it by the log's origin. */
  readonly previous?: string | ((origin: string) => Promise<string | undefined>);
  readonly onProgress?: (entries: bigint, size: bigint) => void;
  readonly fetch?: Fetch;
  readonly timeoutMs?: number; // per request, 30 000 unless told
  /** Reads, hashes and compares bundles elsewhere, on other threads for instance; many at a time, `ahead` of them. */
  readonly leaves?: { readonly read: LeafReader; readonly ahead: number };
}

/** What was examined. */
export interface LogReport extends AcceptedCheckpoint {
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
 * tile, every tile above, the signed root, and the root at the previous checkpoint's size. Trusts the key or policy and the
 * previous checkpoint alone. Throws VerificationError at the first difference met, `index` naming the first leaf concerned, and
 * `empty_log` when there was nothing to examine. Memory does not grow with the log.
 */
export async function verifyLog(options: VerifyLogOptions): Promise<LogReport> {
  const abort = new AbortController();
  const client = new LogClient({ ...connection(options), signal: abort.signal });
  try {
    const note = await readCheckpoint(client);
    const policy = policyOf(options);
    const accepted = await checkPolicy(note, policy);
    const { checkpoint } = accepted;
    const previous = await openPrevious(options.previous, policy, checkpoint);
    const leaves = options.leaves ?? { read: leafReader(client), ahead: AHEAD };
    const tiles = await walk({ client, leaves, checkpoint, previous, onProgress: options.onProgress });
    return { ...accepted, note, entries: checkpoint.size, tiles, ...(previous === undefined ? {} : { previous }) };
  } finally {
    abort.abort(); // whatever was read ahead
  }
}

function connection({ url, fetch: given, timeoutMs = TIMEOUT_MS }: VerifyLogOptions) {
  return { url, timeoutMs, fetch: given ?? ((address: string, init: { signal: AbortSignal }) => fetch(address, init)) };
}

function policyOf({ verifierKey, policy }: VerifyLogOptions): Policy {
  if (policy !== undefined && verifierKey === undefined) return policy;
  if (policy === undefined && verifierKey !== undefined) return policyOfLog(verifierKey);
  throw new TypeError('verifyLog: expected either verifierKey or policy');
}

/** The checkpoint the caller kept, signed by a log of the policy; its witnesses were judged when it was accepted. */
async function openPrevious(
  given: VerifyLogOptions['previous'],
  policy: Policy,
  checkpoint: Checkpoint,
): Promise<Checkpoint | undefined> {
  const note = typeof given === 'function' ? await given(checkpoint.origin) : given;
  const previous = note === undefined ? undefined : (await checkPolicy(note, { ...policy, quorum: 'none' })).checkpoint;
  if (previous !== undefined && previous.origin !== checkpoint.origin) {
    throw new VerificationError(
      'wrong_origin',
      `the previous checkpoint is of ${previous.origin}, the log is ${checkpoint.origin}`,
    );
  }
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

interface Walk {
  readonly client: LogClient;
  readonly leaves: NonNullable<VerifyLogOptions['leaves']>;
  readonly checkpoint: Checkpoint;
  readonly previous: Checkpoint | undefined;
  readonly onProgress: VerifyLogOptions['onProgress'];
}

/** Returns how many tiles were compared. */
async function walk({ client, leaves: from, checkpoint, previous, onProgress }: Walk): Promise<bigint> {
  const { size, root } = checkpoint;
  const tree = new GrowingTree();
  let [index, tiles] = [0n, 0n];
  for await (const leaves of readAhead(bundlesOf(size), from.ahead, (n) => from.read(n, size))) {
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
