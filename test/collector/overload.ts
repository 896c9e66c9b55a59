/*
 * What happens when far more comes than can be stored. As a program: `node --conditions=behalf-source
 * test/collector/overload.ts 60` sends for a minute at ten times what sixteen connections get through.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDatabase, type Database, migrate, startPostgres } from '#database';
import { fsck } from '#ledger';
import { openLogReader } from '#ledger/read';
import { parseEntry } from '#observation';
import { type Child, startChild } from '../bench/ingest/child.ts';
import type { Measured, Order } from '../bench/ingest/sender.ts';
import type { ServerOrder, ServerSays, ServerState } from '../bench/ingest/server.ts';

const fileOf = (name: string) => join(import.meta.dirname, '..', 'bench', 'ingest', `${name}.ts`);

export interface Overloaded {
  readonly answers: Readonly<Record<string, number>>;
  /** Requests that were neither taken nor asked to come again. */
  readonly leftAlone: number;
  readonly acknowledged: number;
  /** Acknowledged requests that are not whole in the log. */
  readonly missing: number;
  readonly sound: boolean;
  readonly rssMiB: number;
  readonly mostRssMiB: number;
}

export interface OverloadOptions extends Omit<Order, 'port'> {
  readonly url: string;
  readonly keyFolder: string;
  readonly limits?: Pick<ServerOrder, 'waitingEntries' | 'maxBytesInFlight'>;
}

/** Runs a collector and its senders, each a process of its own, and reads back what the log holds. */
export async function overload({ url, keyFolder, limits, ...order }: OverloadOptions): Promise<Overloaded> {
  const setup: ServerOrder = { kind: 'collector', url, keyFolder, ...limits };
  const server = startChild<'state', ServerSays>(fileOf('server'), JSON.stringify(setup));
  const sender = startChild<Order, Measured>(fileOf('sender'), '');
  sender.first.catch(() => undefined); // it says nothing unasked
  try {
    const { port } = await server.first;
    const measured = await sender.ask<Measured>({ ...order, port });
    const { rssMiB, mostRssMiB } = await server.ask<ServerState>('state');
    await endBoth(server, sender);
    return { ...(await readBack(url, order.perRequest, measured)), rssMiB, mostRssMiB };
  } finally {
    await endBoth(server, sender);
  }
}

async function endBoth(...children: readonly Pick<Child<unknown, unknown>, 'end'>[]): Promise<void> {
  await Promise.all(children.map((child) => child.end()));
}

async function readBack(url: string, perRequest: number, { answers, retryable, acknowledged }: Measured) {
  const database = connectDatabase({ url });
  try {
    const stored = await spansByRequest(database);
    const { ok } = await fsck({ database, logId: 1 });
    const sent = Object.values(answers).reduce((sum, count) => sum + count, 0);
    return {
      answers,
      leftAlone: sent - acknowledged.length - retryable,
      acknowledged: acknowledged.length,
      missing: acknowledged.filter((number) => stored.get(number)?.size !== perRequest).length,
      sound: ok,
    };
  } finally {
    await database.close();
  }
}

/** Spans in the log by the number of the request they came with: it stands in front of their span id. */
async function spansByRequest(database: Database): Promise<Map<number, Set<string>>> {
  const log = openLogReader({ database, logId: 1 });
  const found = new Map<number, Set<string>>();
  const { size } = await log.log();
  for (let from = 0n; from < size; ) {
    const entries = await log.entries(from, 1000);
    for (const { bytes } of entries) {
      const spanId = parseEntry(bytes).trace?.spanId ?? '';
      const number = Number.parseInt(spanId.slice(0, 8), 16);
      const spans = found.get(number) ?? new Set();
      found.set(number, spans.add(spanId));
    }
    from += BigInt(entries.length);
  }
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-overload-'));
  const postgres = await startPostgres({ dataDir: join(folder, 'data') });
  try {
    await migrate(postgres.url);
    const seconds = Number(process.argv[2] ?? 60);
    const found = await overload({
      url: postgres.url,
      keyFolder: join(folder, 'keys'),
      encoding: 'protobuf',
      perRequest: 512,
      connections: 160,
      seconds,
    });
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    process.exitCode = found.missing === 0 && found.leftAlone === 0 && found.sound ? 0 : 1;
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
