import { parseArgs } from 'node:util';
import type { Behalf } from '@behalf/sdk';

/** What every service process is told on its command line; a secret comes in DEMO_SECRET, where `ps` does not show it. */
export function readOptions<N extends string>(names: readonly N[]): Readonly<Record<N, string>> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ options, strict: true });
  const missing = names.filter((name) => typeof values[name] !== 'string');
  if (missing.length > 0) throw new TypeError(`missing options: ${missing.map((name) => `--${name}`).join(' ')}`);
  return values as Readonly<Record<N, string>>;
}

export function readSecret(): string {
  const secret = process.env.DEMO_SECRET;
  if (secret === undefined || secret === '') throw new TypeError('DEMO_SECRET is not set');
  return secret;
}

/**
 * Tells the parent where the service listens, as one JSON line, and stops it on SIGTERM or when the parent goes away:
 * its end of standard input closes then, however it ended.
 */
export function serveUntilStopped(port: number, stop: () => Promise<unknown>): void {
  process.stdout.write(`${JSON.stringify({ port })}\n`);
  let stopping = false;
  const end = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), 8_000).unref(); // a collector that does not answer may not hold us forever
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', end).once('SIGINT', end);
  process.stdin.resume().once('end', end).once('close', end);
}

/** Sends what is left to the collector. Throws when anything was lost: the demo has failed then, and must say so. */
export async function deliverAll(behalf: Behalf): Promise<void> {
  const { lost } = await behalf.shutdown();
  if (lost > 0) throw new Error(`${lost} observations did not reach the collector`);
}
