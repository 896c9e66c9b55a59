import { diag } from '@opentelemetry/api';

/** Runs what must not trouble the host: what it throws goes to OpenTelemetry's diag, by name and message, and no further. */
export function harmless<T>(what: string, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    diag.error(`behalf: ${what} failed`, error instanceof Error ? `${error.name}: ${error.message}` : typeof error);
    return undefined;
  }
}
