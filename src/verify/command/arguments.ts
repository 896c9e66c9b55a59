import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type Asked =
  | { readonly kind: 'help' }
  | { readonly kind: 'page'; readonly file: string } // to write the evidence page to
  | ({ readonly kind: 'check' } & Check);

export interface Check {
  readonly target: string; // a log's address, or a bundle's file, or a page that carries one
  readonly policyFile: string;
  readonly authoritiesFile: string | undefined; // whose timestamps to believe
  readonly stateFolder: string | undefined; // undefined: remember nothing
  readonly threads: number;
  readonly json: boolean;
}

/** The command line is not understood; exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const MAX_THREADS = 64;

export const USAGE = `npx @behalf/verify <log address | bundle file> --policy <file> [options]

Checks a transparency log over HTTP, every entry of it, or an evidence bundle offline. Trusts the policy alone: which logs,
which witnesses, how many (c2sp.org/tlog-policy). "log <vkey>" and "quorum none" ask for the log's signature only.

  --policy <file>   the policy, from a source you trust; not from the log, and not the one inside the bundle
  --tsa <file>      the certificates, in PEM, of the time-stamping authorities you trust: the bundle must bear a timestamp
                    (RFC 3161) by one of them over its checkpoint
  --state <folder>  remembers each log's last checkpoint and demands consistency with it
                    (default behalf-verify in XDG_STATE_HOME or ~/.local/state)
  --no-state        neither looks nor remembers
  --threads <n>     threads that read and hash, 1 to ${MAX_THREADS} (default: the processors of this machine, at most 8)
  --json            prints the result as JSON
  --page <file>     checks nothing: writes the page that checks a bundle dropped into it in a browser, offline
  --help

Exit status: 0 everything held; 1 it did not, and the first bad index is named where there is one; 2 usage.
`;

/** Reads the command line. Throws UsageError. */
export function askedBy(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  processors: number,
): Asked {
  const { values, positionals } = parsed(argv);
  if (values.help === true) return { kind: 'help' };
  if (values.page !== undefined && positionals.length === 0) return { kind: 'page', file: values.page };
  const [target, ...others] = positionals;
  if (target === undefined || others.length > 0) {
    throw new UsageError(`expected one log address or bundle file, got ${positionals.length}`);
  }
  if (values.policy === undefined) {
    throw new UsageError('expected --policy <file>: without keys from a source you trust, nothing can be verified');
  }
  const remember = values['no-state'] !== true;
  return {
    kind: 'check',
    target,
    policyFile: values.policy,
    authoritiesFile: values.tsa,
    stateFolder: remember ? (values.state ?? defaultFolder(environment)) : undefined,
    threads: values.threads === undefined ? Math.min(8, Math.max(1, processors)) : threadsOf(values.threads),
    json: values.json === true,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        policy: { type: 'string' },
        tsa: { type: 'string' },
        state: { type: 'string' },
        'no-state': { type: 'boolean' },
        threads: { type: 'string' },
        json: { type: 'boolean' },
        page: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const defaultFolder = (environment: Readonly<Record<string, string | undefined>>): string =>
  join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'behalf-verify');

function threadsOf(text: string): number {
  const threads = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0;
  if (threads >= 1 && threads <= MAX_THREADS) return threads;
  throw new UsageError(`--threads: expected 1 to ${MAX_THREADS}, got ${text.slice(0, 20)}`);
}
