import { once } from 'node:events';
import type { Command, Terminal } from './command.ts';
import { startServer } from './server.ts';
import { settingsFrom } from './settings.ts';

/** `behalf serve`: the collector, the ledger, the projection, the query API and the page, until SIGINT or SIGTERM. */
export const serve: Command = {
  name: 'serve',
  summary: 'run the server: OTLP in, ledger, query API and page',
  options: {},
  async run(_, terminal) {
    const stopped = stopSignal();
    const server = await startServer(settingsFrom(terminal.environment), (says) => terminal.err(`${says}\n`));
    terminal.err(
      `OTLP/HTTP on ${server.otlpAddress}\nOTLP/gRPC on ${server.otlpGrpcAddress}\nquery API and page on ${server.apiAddress}\nno authentication is configured: listening on this machine only\n`,
    );
    await stopped;
    await closeLoudly(server, terminal);
    return 0;
  },
};

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, as by default. */
async function stopSignal(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

async function closeLoudly(server: { close(): Promise<void> }, terminal: Terminal): Promise<void> {
  terminal.err('stopping: what was taken in is being sequenced\n');
  await server.close();
}
