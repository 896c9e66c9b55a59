import { DatabaseError } from './errors.ts';

/**
 * Reads a connection string. The error never repeats it: it holds a password.
 * libpq's form with credentials and no host (`postgres://user:secret@/db?host=/run/postgresql`) is understood.
 */
export function parseDatabaseUrl(text: string): URL {
  const [url, query = ''] = text.split(/\?(.*)/s);
  const withHost = url?.replace(/@\//, '@localhost/') ?? '';
  const parsed = URL.canParse(withHost) ? new URL(query === '' ? withHost : `${withHost}?${query}`) : undefined;
  if (parsed === undefined || !['postgres:', 'postgresql:'].includes(parsed.protocol)) {
    throw new DatabaseError(
      'configuration',
      'the database address is not understood; expected postgres://user:password@host:port/database (is a / or @ in the password written as %2F or %40?)',
    );
  }
  return parsed;
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const parsed = parseDatabaseUrl(url);
  parsed.pathname = `/${encodeURIComponent(database)}`;
  return parsed.href;
}

/** Adds server settings to the connection's start packet; those already in the address stay, ours win. */
export function withSettings(url: string, settings: Readonly<Record<string, string>>): string {
  const parsed = parseDatabaseUrl(url);
  const before = parsed.searchParams.get('options');
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  parsed.searchParams.set('options', [before, ...ours].filter(Boolean).join(' '));
  return parsed.href;
}

/** How a message names the database: where and which, never the user's secret or settings. */
export function describeDatabase(url: string): string {
  const parsed = parseDatabaseUrl(url);
  const host = parsed.searchParams.get('host') ?? (parsed.hostname || 'localhost');
  const name = decodeURIComponent(parsed.pathname.slice(1)) || decodeURIComponent(parsed.username);
  return `${name} at ${host}${parsed.port ? `:${parsed.port}` : ''}`;
}
