import { once } from 'node:events';
import { type Command, type Terminal, textOption } from './command.ts';
import { parseRoles, ROLES, type Role } from './roles.ts';
import { type Server, startServer } from './server.ts';
import { settingsFrom } from './settings.ts';
import { startTelemetry } from './telemetry/telemetry.ts';

/** `behalf serve`: the collector, the ledger, the projection, the query API and the page, until SIGINT or SIGTERM. */
export const serve: Command = {
  name: 'serve',
  summary: 'run the server: OTLP in, ledger, query API and page',
  options: { role: { value: 'roles', says: `what this process does, of ${ROLES.join(',')} (default all)` } },
  async run(given, terminal) {
    const roles = parseRoles(textOption(given, 'role'));
    const stopped = stopSignal();
    const settings = settingsFrom(terminal.environment);
    const telemetry = await startTelemetry(terminal.environment, settings);
    const server = await startServer(settings, (says) => terminal.err(`${says}\n`), roles, telemetry);
    terminal.err(describe(server, roles));
    await stopped;
    await closeLoudly(server, terminal);
    await telemetry.close();
    return 0;
  },
};

function describe({ otlp, apiAddress }: Server, roles: ReadonlySet<Role>): string {
  return [
    ...(otlp === undefined ? [] : [`OTLP/HTTP on ${otlp.http}`, `OTLP/gRPC on ${otlp.grpc}`]),
    `${roles.has('query') ? 'query API and page' : 'health and metrics'} on ${apiAddress}`,
    'no authentication is configured: listening on this machine only\n',
  ].join('\n');
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, as by default. */
async function stopSignal(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

async function closeLoudly(server: { close(): Promise<void> }, terminal: Terminal): Promise<void> {
  terminal.err('stopping: what was taken in is being sequenced\n');
  await server.close();
}
