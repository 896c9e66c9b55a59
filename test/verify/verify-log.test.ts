import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { VerificationError, verifyLog } from '@behalf/verify';
import { NUMBERED_ROOTS } from './classic-tree.ts';
import {
  checkpointText,
  flipped,
  LOG_URL,
  levelsOf,
  numberedEntries,
  type ReferenceLog,
  referenceLog,
  serve,
  signNote,
  writeBundles,
  writeTiles,
} from './reference-log.ts';

const verify = (log: ReferenceLog, more: Partial<Parameters<typeof verifyLog>[0]> = {}) =>
  verifyLog({ url: LOG_URL, verifierKey: log.verifierKey, fetch: serve(log.files), ...more });

const rejects = (log: ReferenceLog, expected: object, more: Partial<Parameters<typeof verifyLog>[0]> = {}) =>
  assert.rejects(verify(log, more), (error) => {
    assert.ok(error instanceof VerificationError, String(error));
    assert.deepEqual({ code: error.code, index: error.index }, { index: undefined, ...expected });
    return true;
  });

for (const [size, root] of Object.entries(NUMBERED_ROOTS)) {
  test(`a log of ${size} entries is read whole and found to hash to the agreed root`, async () => {
    const log = referenceLog(numberedEntries(Number(size)));
    assert.equal(log.root.toString('hex'), root);
    const asked = new Set<string>();
    const report = await verify(log, {
      fetch: (url) => {
        asked.add(url.slice(LOG_URL.length));
        return serve(log.files)(url);
      },
    });
    assert.deepEqual(asked, new Set(log.files.keys()), 'every resource of the log was read');
    assert.equal(report.entries, BigInt(size));
    assert.equal(report.tiles, BigInt([...log.files.keys()].filter((path) => /^tile\/\d/.test(path)).length));
    assert.deepEqual(report.checkpoint, { origin: log.origin, size: BigInt(size), root: new Uint8Array(log.root) });
    assert.equal(report.note, log.note);
  });
}

test('a log is read over HTTP with the runtime’s own fetch, entry bundles compressed unasked', async (t) => {
  const log = referenceLog(numberedEntries(600));
  const server = createServer((request, response) => {
    const path = request.url?.slice(1) ?? '';
    const body = log.files.get(path);
    if (body === undefined) return response.writeHead(404).end();
    if (!path.startsWith('tile/entries')) return response.end(body);
    return response.setHeader('content-encoding', 'gzip').end(gzipSync(body));
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  assert.equal((await verifyLog({ url, verifierKey: log.verifierKey })).entries, 600n);
});

test('an empty log fails as such: nothing was examined', async () => {
  const log = referenceLog([]);
  await rejects(log, { code: 'empty_log' });
});

test('progress counts entries up to the size', async () => {
  const told: [bigint, bigint][] = [];
  await verify(referenceLog(numberedEntries(600)), { onProgress: (entries, size) => told.push([entries, size]) });
  assert.deepEqual(told, [
    [256n, 600n],
    [512n, 600n],
    [600n, 600n],
  ]);
});

test('the address may end without a slash', async () => {
  await verify(referenceLog(numberedEntries(3)), { url: LOG_URL.slice(0, -1) });
});

test('a partial tile and bundle that the log has dropped are taken from the full ones', async () => {
  const [log, grown] = [referenceLog(numberedEntries(300)), referenceLog(numberedEntries(512))];
  const files = new Map([...grown.files, ['checkpoint', log.files.get('checkpoint') as Uint8Array<ArrayBuffer>]]);
  files.set('tile/1/000.p/1', log.files.get('tile/1/000.p/1') as Uint8Array<ArrayBuffer>);
  assert.equal((await verify({ ...log, files })).entries, 300n);
});

/** The log with one entry changed and everything up to `level` recomputed from it; what is above stays as it was. */
function forgedUpTo(log: ReferenceLog, index: number, level: number): ReferenceLog {
  const entries = numberedEntries(log.size);
  entries[index] = Buffer.from('forged');
  const forged = referenceLog(entries);
  const files = new Map(log.files);
  writeBundles(files, entries);
  for (const [at, hashes] of forged.levels.entries()) if (at <= level) writeTiles(files, at, hashes);
  return { ...log, files };
}

/** The tile's path and the hashes it holds. */
const tilesOf = (log: ReferenceLog) =>
  log.levels.flatMap((hashes, level) =>
    Array.from({ length: Math.ceil(hashes.length / 256) }, (_, index) => {
      const width = Math.min(256, hashes.length - 256 * index);
      const path = [...log.files.keys()].filter((name) => name.startsWith(`tile/${level}/`))[index];
      return { level, index, width, path: path as string };
    }),
  );

const evenly = (count: number, most: number): number[] => [
  ...new Set(Array.from({ length: most }, (_, i) => Math.floor((i * (count - 1)) / Math.max(1, most - 1)))),
];

async function sweep(log: ReferenceLog, tiles: ReturnType<typeof tilesOf>, perTile: number): Promise<void> {
  for (const { level, index, width, path } of tiles) {
    for (const i of evenly(width, perTile)) {
      const first = (256 * index + i) * 256 ** level;
      const tile = log.files.get(path) as Uint8Array<ArrayBuffer>;
      const files = new Map(log.files).set(path, flipped(tile, 256 * i + (first % 256)));
      await rejects(
        { ...log, files },
        { code: level === 0 ? 'entry_mismatch' : 'tile_mismatch', index: BigInt(first) },
      );
    }
  }
}

/** Forges below every tile; the first tile above what was recomputed must tell, and where there is none, the root. */
async function sweepBelow(log: ReferenceLog, tiles: ReturnType<typeof tilesOf>): Promise<void> {
  for (const { level, index, width } of tiles) {
    const leaf = (256 * index + (width >> 1)) * 256 ** level;
    const above = log.levels[level + 1]?.length ?? 0;
    const told = leaf < above * 256 ** (level + 1);
    const covers = BigInt(256 ** (level + 1));
    const expected = told
      ? { code: 'tile_mismatch', index: (BigInt(leaf) / covers) * covers }
      : { code: 'root_mismatch' };
    await rejects(forgedUpTo(log, leaf, level), expected);
  }
}

test('every forged tile, and every forgery consistent below a tile, is rejected at sizes 1 to 300', async () => {
  for (const size of [...evenly(300, 24).map((n) => n + 1), 255, 256, 257]) {
    const log = referenceLog(numberedEntries(size));
    await sweep(log, tilesOf(log), 9);
    await sweepBelow(log, tilesOf(log));
  }
});

test('forged tiles at 70,000 entries are rejected, at every level and at both edges', async () => {
  const log = referenceLog(numberedEntries(70_000));
  const tiles = tilesOf(log).filter(({ level, index }) => level > 0 || [0, 255, 273].includes(index));
  assert.deepEqual(
    tiles.map(({ path }) => path).filter((path) => path.includes('.p/')),
    ['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1'],
  );
  await sweep(log, tiles, 2);
  await sweepBelow(log, tiles);
});

test('a flipped bit anywhere in a small log’s resources is rejected', async () => {
  const log = referenceLog(numberedEntries(5));
  for (const [path, body] of log.files) {
    for (let bit = 0; bit < 8 * body.length; bit += 1) {
      await assert.rejects(
        verify({ ...log, files: new Map(log.files).set(path, flipped(body, bit)) }),
        VerificationError,
      );
    }
  }
});

test('two entries that changed places are rejected, the first of them named', async () => {
  const log = referenceLog(numberedEntries(40));
  const entries = numberedEntries(40);
  [entries[7], entries[9]] = [entries[9] as Buffer, entries[7] as Buffer];
  const files = new Map(log.files);
  writeBundles(files, entries);
  await rejects({ ...log, files }, { code: 'entry_mismatch', index: 7n });
});

test('a missing tile or bundle is told with the first leaf it covers', async () => {
  const log = referenceLog(numberedEntries(600));
  for (const [path, index] of [
    ['tile/entries/001', 256n],
    ['tile/0/002.p/88', 512n],
    ['tile/1/000.p/2', 0n],
  ] as const) {
    const files = new Map(log.files);
    files.delete(path);
    await rejects({ ...log, files }, { code: 'unavailable', index });
  }
  await rejects({ ...log, files: new Map() }, { code: 'unavailable' });
});

test('a bundle with too few, too many or cut entries is rejected', async () => {
  const log = referenceLog(numberedEntries(40));
  const path = 'tile/entries/000.p/40';
  const bundle = log.files.get(path) as Uint8Array<ArrayBuffer>;
  const withBundle = (body: Uint8Array<ArrayBuffer>) => ({ ...log, files: new Map(log.files).set(path, body) });
  await rejects(withBundle(bundle.slice(0, -9)), { code: 'malformed', index: 39n });
  await rejects(withBundle(bundle.slice(0, -1)), { code: 'malformed', index: 0n });
  await rejects(withBundle(new Uint8Array([...bundle, 0, 0])), { code: 'malformed', index: 40n });
  await rejects(withBundle(new Uint8Array(0)), { code: 'malformed', index: 0n });
});

test('answers longer than their format are cut off, not read', async () => {
  const log = referenceLog(numberedEntries(40));
  for (const [path, limit, about] of [
    ['checkpoint', 1_000_000, {}],
    ['tile/0/000.p/40', 40 * 32, { index: 0n }],
    ['tile/entries/000.p/40', 256 * 65_537, { index: 0n }],
  ] as const) {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const fetch = async (url: string) => (url.endsWith(path) ? new Response(endless) : serve(log.files)(url));
    await rejects(log, { code: 'too_large', ...about }, { fetch });
    assert.ok(sent <= limit + 4 * 65_536, `${path}: ${sent} bytes were taken`);
  }
});

test('a passing failure is tried again; a lasting one is told', async () => {
  const log = referenceLog(numberedEntries(3));
  const failing = (times: number, fail: () => Promise<Response>) => {
    let failed = 0;
    return async (url: string) => (++failed <= times ? fail() : serve(log.files)(url));
  };
  const busy = async () => new Response('busy', { status: 503 });
  const broken = async () => Promise.reject(new TypeError('fetch failed'));
  assert.equal((await verify(log, { fetch: failing(2, busy) })).entries, 3n);
  assert.equal((await verify(log, { fetch: failing(2, broken) })).entries, 3n);
  await rejects(log, { code: 'unavailable' }, { fetch: failing(3, busy) });
  await rejects(log, { code: 'unavailable' }, { fetch: failing(3, broken) });
  await rejects(log, { code: 'unavailable' }, { fetch: async () => new Response('no', { status: 403 }) });
});

test('what the log itself says of a failure is quoted, as characters one can see, and no more than a line', async () => {
  const log = referenceLog(numberedEntries(300));
  const says = (body: string, type = 'application/problem+json') =>
    verify(log, {
      fetch: async (url) =>
        url.endsWith('tile/entries/001.p/44')
          ? new Response(body, { status: 403, headers: { 'content-type': type } })
          : serve(log.files)(url),
    });
  const detail = `entry 299 is missing\u001b[2J\u202e${'x'.repeat(300)}`;
  await assert.rejects(says(JSON.stringify({ detail })), (error: VerificationError) => {
    assert.deepEqual([error.code, error.index], ['unavailable', 256n]);
    assert.match(error.message, /got 403; the log says "entry 299 is missing\?\[2J\?x{175}"$/);
    return true;
  });
  for (const body of ['', '[', 'null', '{"detail":7}', `{"detail":"${'x'.repeat(5000)}"}`]) {
    await assert.rejects(says(body), { code: 'unavailable', message: /got 403$/ });
  }
  await assert.rejects(says('{"detail":"said"}', 'text/html'), { message: /got 403$/ });
});

test('a log that trickles is given up in time, and what was read ahead with it', async () => {
  const log = referenceLog(numberedEntries(300));
  const trickle = (signal: AbortSignal) =>
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        const timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 5);
        signal.addEventListener('abort', () => {
          clearInterval(timer);
          controller.error(signal.reason);
        });
      },
    });
  const fetch = async (url: string, { signal }: { signal: AbortSignal }) =>
    url.includes('entries') ? new Response(trickle(signal)) : serve(log.files)(url);
  await rejects(log, { code: 'unavailable', index: 0n }, { fetch, timeoutMs: 40 });
});

test('a log that does not answer in time is unavailable', async () => {
  const silent = (_: string, { signal }: { signal: AbortSignal }) =>
    new Promise<Response>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  await rejects(referenceLog(numberedEntries(3)), { code: 'unavailable' }, { fetch: silent, timeoutMs: 5 });
});

test('a checkpoint that is not UTF-8, or signed by another, or of another log, is rejected', async () => {
  const log = referenceLog(numberedEntries(3));
  const withNote = (note: Uint8Array<ArrayBuffer>) => ({ ...log, files: new Map(log.files).set('checkpoint', note) });
  const text = (note: string) => new TextEncoder().encode(note);
  await rejects(withNote(new Uint8Array([0xff, 0xfe])), { code: 'malformed' });
  await rejects(withNote(text(`\ufeff${log.note}`)), { code: 'bad_signature' });
  await rejects(withNote(text(signNote('other.example', checkpointText('other.example', 3, log.root)))), {
    code: 'unsigned',
  });
  await rejects(withNote(text(signNote(log.origin, checkpointText('other.example', 3, log.root)))), {
    code: 'wrong_origin',
  });
});

test('a log that grew is consistent with every checkpoint it had', async () => {
  const entries = numberedEntries(600);
  const log = referenceLog(entries);
  for (const size of [0, 1, 2, 127, 255, 256, 257, 511, 512, 513, 599, 600]) {
    const previous = referenceLog(entries.slice(0, size));
    const report = await verify(log, { previous: previous.note });
    assert.deepEqual(report.previous?.root, new Uint8Array(previous.root), `size ${size}`);
  }
});

test('a log rewritten and signed anew is caught by the checkpoint kept from before', async () => {
  const before = referenceLog(numberedEntries(300));
  for (const index of [0, 255, 256, 299]) {
    const entries = numberedEntries(600);
    entries[index] = Buffer.from('rewritten');
    await rejects(referenceLog(entries), { code: 'consistency' }, { previous: before.note });
  }
});

test('a log that lost entries is caught, even when it lost all', async () => {
  const before = referenceLog(numberedEntries(300));
  await rejects(referenceLog(numberedEntries(299)), { code: 'consistency' }, { previous: before.note });
  await rejects(referenceLog([]), { code: 'consistency' }, { previous: before.note });
});

test('a previous checkpoint is itself checked', async () => {
  const log = referenceLog(numberedEntries(3));
  const unsigned = signNote('other.example', checkpointText('other.example', 2, log.root));
  await rejects(log, { code: 'unsigned' }, { previous: unsigned });
});

test('entries of 0 and of 65,535 bytes are verified as any other', async () => {
  const log = referenceLog([Buffer.alloc(0), Buffer.alloc(65_535, 7), Buffer.from('x')]);
  assert.equal((await verify(log)).entries, 3n);
});

test('the reference log counts as the specification’s example of 70,000 does', () => {
  const levels = levelsOf(referenceLog(numberedEntries(70_000)).leaves as Buffer[]);
  assert.deepEqual(
    levels.map((hashes) => hashes.length),
    [70_000, 273, 1],
  );
});
