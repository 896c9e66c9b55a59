import { UsageError } from './command.ts';

/**
 * What one process of a server does: `collect` takes OTLP in and sequences it; `query` answers and serves the page;
 * `project` follows the log and keeps what queries read; `publish` signs checkpoints as the log grows.
 */
export const ROLES = ['collect', 'query', 'project', 'publish'] as const;
export type Role = (typeof ROLES)[number];

export const ALL_ROLES: ReadonlySet<Role> = new Set(ROLES);

/** Roles separated by commas; all of them without any. Throws UsageError. */
export function parseRoles(text: string | undefined): ReadonlySet<Role> {
  if (text === undefined) return ALL_ROLES;
  return new Set(text.split(',').map((word) => roleOf(word.trim())));
}

function roleOf(word: string): Role {
  const role = ROLES.find((each) => each === word);
  if (role !== undefined) return role;
  throw new UsageError(`--role: expected some of ${ROLES.join(',')}, got ${word.slice(0, 40)}`);
}
