import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../ledger/harness.ts';

const run = promisify(execFile);
const TOOLS = ['litewitness', 'witnessctl', 'ssh-agent', 'ssh-add', 'ssh-keygen'];

/** What is not on this machine; false where all of it is. Debian's package torchwood has the first two, openssh-client the others. */
export const withoutLitewitness = ((): string | false => {
  const missing = TOOLS.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  return missing.length === 0 ? false : `not on this machine: ${missing.join(', ')}`;
})();

/** A witness that nobody here wrote, for one log. Debian builds it so that it serves nothing without this setting. */
const ENVIRONMENT = { ...process.env, GODEBUG: 'httpmuxgo121=0' };

export async function litewitness(
  t: TestContext,
  logVerifierKey: string,
): Promise<{ url: string; verifierKey: string }> {
  const folder = await temporaryFolder(t);
  const [key, socket, database] = ['key', 'agent', 'witness.db'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const origin = logVerifierKey.slice(0, logVerifierKey.indexOf('+'));
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => agent.kill());
  await lineOf(agent, agent.stdout, /SSH_AUTH_SOCK/);
  await run('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  const { stdout } = await run('ssh-keygen', ['-lf', `${key}.pub`]);
  await run('witnessctl', ['add-log', '-db', database, '-origin', origin]);
  await run('witnessctl', ['add-key', '-db', database, '-origin', origin, '-key', logVerifierKey]);
  const address = `127.0.0.1:${await freePort()}`;
  const named = ['-key', stdout.split(' ')[1] ?? '', '-name', 'witness.example/lite', '-ssh-agent', socket];
  const witness = spawn('litewitness', ['-db', database, '-listen', address, ...named], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => witness.kill());
  let verifierKey = '';
  await lineOf(witness, witness.stderr, /msg=listening/, (line) => {
    verifierKey = /vkey=(\S+)/.exec(line)?.[1] ?? verifierKey;
  });
  return { url: `http://${address}`, verifierKey };
}

/** Reads lines until one that fits; the rest goes nowhere. */
async function lineOf(
  child: ChildProcess,
  stream: NodeJS.ReadableStream | null,
  wanted: RegExp,
  see: (line: string) => void = () => undefined,
): Promise<void> {
  if (stream === null) throw new TypeError('expected a child whose output is read');
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it ended too early:\n${seen.join('\n')}`)));
    createInterface({ input: stream }).on('line', (line) => {
      seen.push(line);
      see(line);
      if (wanted.test(line)) resolve();
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
