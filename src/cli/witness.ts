import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import fastify from 'fastify';
import { Witness, WitnessKey, witnessApi } from '#witness';
import { type Command, textOption, UsageError } from './command.ts';
import { readPolicy } from './outside-settings.ts';

/** `behalf witness`: cosigns the checkpoints of logs that only grow, on a machine the log's owner does not control. */
export const witness: Command = {
  name: 'witness',
  summary: 'run a witness for others’ logs: cosigns a checkpoint only when it grew out of the one before',
  options: {
    name: { value: 'name', says: 'what it signs as, such as witness.example.com/one; the key belongs to the name' },
    policy: { value: 'file', says: 'a tlog-policy file whose log lines name the logs it serves' },
    data: {
      value: 'folder',
      says: 'its key and what it cosigned; never restore it from a backup (default .behalf-witness)',
    },
    host: {
      value: 'address',
      says: 'address to listen on (default 127.0.0.1; others may ask it what signatures allow)',
    },
    port: { value: 'number', says: 'port to listen on (default 7410; 0 for any free one)' },
  },
  async run(given, terminal) {
    const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    const own = await openWitness({
      name: required(textOption(given, 'name'), 'name'),
      policyFile: required(textOption(given, 'policy'), 'policy'),
      folder: resolve(textOption(given, 'data') ?? '.behalf-witness'),
    });
    const app = fastify({ forceCloseConnections: true });
    await app.register(witnessApi, { witness: own });
    const host = textOption(given, 'host') ?? '127.0.0.1';
    const address = await app.listen({ host, port: portOf(textOption(given, 'port') ?? '7410') });
    terminal.out(`witness ${address}\n${own.verifierKey}\n`);
    terminal.err(
      `cosigning for: ${own.origins.join(', ')}\nin the log's policy: witness <name> ${own.verifierKey} ${address}\n`,
    );
    await stopped;
    await app.close();
    return 0;
  },
};

async function openWitness(o: { readonly name: string; readonly policyFile: string; readonly folder: string }) {
  const { logs } = await readPolicy(o.policyFile);
  if (logs.length === 0) throw new UsageError(`${o.policyFile}: expected at least one line "log <vkey>"`);
  await mkdir(o.folder, { recursive: true, mode: 0o700 });
  const key = await WitnessKey.open(o.folder, o.name);
  return new Witness({ key, logs: logs.map(({ verifierKey }) => verifierKey), folder: o.folder });
}

function required(value: string | undefined, name: string): string {
  if (value !== undefined) return value;
  throw new UsageError(`--${name}: expected a value; behalf witness --help says what it is`);
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError(`--port: expected a port number from 0 to 65535, got ${text.slice(0, 40)}`);
}
