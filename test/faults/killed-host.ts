import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const HOST = join(import.meta.dirname, 'kill-host.ts');
const CLIENTS = 6;

export interface KilledHost {
  /** Ids of the requests whose answer came whole. */
  readonly answered: ReadonlySet<string>;
  /** Requests that were begun. */
  readonly asked: number;
}

/**
 * Runs the host under load and kills it with SIGKILL at random moments, `kills` times, each time starting it again on the
 * same spool; then once more to its end. `between` is told the number of each kill, to trouble the collector.
 */
export async function killRepeatedly(o: {
  kills: number;
  /** issuer, jwksUri, audience, collectorUrl, folder. */
  args: readonly string[];
  token: () => Promise<string>;
  between: (kill: number) => Promise<void>;
}): Promise<KilledHost> {
  const answered = new Set<string>();
  let asked = 0;
  for (let kill = 0; kill < o.kills; kill += 1) {
    await o.between(kill);
    const { child, port } = await startHost(o.args);
    const authorization = `Bearer ${await o.token()}`;
    const agent = new Agent({ keepAlive: true });
    const ask = async (): Promise<void> => {
      for (;;) {
        asked += 1;
        const id = `run-${kill}-request-${asked}`;
        if (!(await isAnswered({ port, id, authorization, agent }))) return;
        answered.add(id);
      }
    };
    const clients = Array.from({ length: CLIENTS }, ask);
    await pause(20 + Math.random() * 300);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await Promise.all(clients);
    agent.destroy();
  }
  await o.between(o.kills);
  const { child } = await startHost(o.args);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, 'the last host delivered all that waited');
  return { answered, asked };
}

async function startHost(args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['--conditions=behalf-source', HOST, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => ['the host ended'])]);
  assert.match(String(port), /^\d+\n$/);
  return { child, port: Number(port) };
}

/** True when status 200 and the whole body came. */
function isAnswered(o: { port: number; id: string; authorization: string; agent: Agent }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const { authorization } = o;
  const request = get(
    { host: '127.0.0.1', port: o.port, path: `/pay/${o.id}`, agent: o.agent, headers: { authorization } },
    (response) => {
      let body = '';
      response.on('data', (part: Buffer) => {
        body += part.toString();
      });
      response.on('close', () => resolve(response.statusCode === 200 && body === JSON.stringify({ paid: o.id })));
    },
  );
  request.on('error', () => resolve(false));
  return promise;
}
