import { isIP } from 'node:net';
import { UsageError } from '../command.ts';
import type { Settings } from '../settings.ts';

type Ports = Pick<Settings, 'otlpHttpPort' | 'otlpGrpcPort'>;

/** Throws UsageError when the endpoint that a variable names is one that this server listens on. */
export function refuseOwnCollector(variable: string, endpoint: string, { otlpHttpPort, otlpGrpcPort }: Ports): void {
  const url = URL.parse(endpoint);
  if (url === null) {
    throw new UsageError(
      `${variable}: expected a URL such as http://collector.example:4318, got ${endpoint.slice(0, 80)}`,
    );
  }
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (!isThisMachine(url.hostname) || ![otlpHttpPort, otlpGrpcPort].includes(port)) return;
  throw new UsageError(
    `${variable}: expected another collector, got this server's own (port ${port}): its telemetry would become its input`,
  );
}

function isThisMachine(hostname: string): boolean {
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(name) === 4) return name.startsWith('127.') || name === '0.0.0.0';
  return name === '::1' || name === '::' || name === 'localhost' || name.endsWith('.localhost');
}
