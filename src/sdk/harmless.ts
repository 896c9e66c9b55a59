import { Complaints } from './complaints.ts';

const complaints = new Complaints();

/** Runs what must not trouble the host: what it throws goes to OpenTelemetry's diag, by name and message, and no further. */
export function harmless<T>(what: string, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
    complaints.say('error', what, `${what} failed: ${why}`);
    return undefined;
  }
}
