import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** Cuts a connection where a durable write is: before the server saw it, or after it did and before its answer arrived. */
export type Cut = 'before' | 'after';

export interface CuttingProxy {
  readonly url: string;
  /** The next statement that holds this text is cut, once; resolves when it was. */
  cutNext(text: string, cut: Cut): Promise<void>;
}

interface Armed {
  readonly text: Buffer;
  readonly cut: Cut;
  readonly done: () => void;
}

/** Stands between pg and PostgreSQL, one connection for one, and lets everything through but what is armed. */
export async function cuttingProxy(t: Pick<TestContext, 'after'>, url: string): Promise<CuttingProxy> {
  const target = new URL(url);
  let armed: Armed | undefined;
  const take = (chunk: Buffer): Armed | undefined => {
    if (armed === undefined || !chunk.includes(armed.text)) return undefined;
    const taken = armed;
    armed = undefined;
    return taken;
  };
  const server = createServer((client) => relay(client, connectTo(target), take));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return {
    url: throughPort(url, server.address()),
    cutNext: (text, cut) =>
      new Promise((done) => {
        armed = { text: Buffer.from(text), cut, done };
      }),
  };
}

function relay(client: Socket, server: Socket, take: (chunk: Buffer) => Armed | undefined): void {
  let cutting: Armed | undefined;
  const end = () => {
    client.destroy();
    server.destroy();
  };
  client.on('data', (chunk) => {
    cutting ??= take(chunk);
    if (cutting?.cut === 'before') {
      cutting.done();
      return end();
    }
    server.write(chunk);
  });
  server.on('data', (chunk) => {
    if (cutting === undefined) return void client.write(chunk);
    // ReadyForQuery in state idle: what was sent is done, and committed.
    if (!chunk.includes(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) return;
    cutting.done();
    end();
  });
  for (const socket of [client, server]) socket.on('error', end).on('close', end);
}

function connectTo(target: URL): Socket {
  const host = target.searchParams.get('host') ?? target.hostname;
  const port = Number(target.searchParams.get('port') ?? (target.port || 5432));
  return host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
}

function throughPort(url: string, address: ReturnType<ReturnType<typeof createServer>['address']>): string {
  const through = new URL(url);
  for (const name of ['host', 'port']) through.searchParams.delete(name);
  through.hostname = '127.0.0.1';
  through.port = typeof address === 'object' && address !== null ? String(address.port) : '';
  return through.href;
}
