/**
 * SQLSTATEs after which the same work may succeed later without anyone's help: whole classes by their first two
 * characters, then single ones (PostgreSQL, appendix A).
 */
const CLASSES: readonly string[] = [
  '08', // connection exception
  '53', // insufficient resources: disk full, out of memory, too many connections
  '58', // system error outside PostgreSQL itself
];
const STATES: readonly string[] = [
  '25006', // read-only transaction: a replica, until the failover is done
  '25P03', // idle in transaction too long
  '40001', // serialization failure
  '40003', // statement completion unknown
  '40P01', // deadlock
  '55P03', // lock not available
  '57014', // canceled, as by statement_timeout
  '57P01', // terminated by an administrator
  '57P02', // crash of another session
  '57P03', // starting up or shutting down
  '57P05', // idle session timeout
];
const SOCKET: readonly string[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
];
/** What pg throws without a code when the connection is gone or silent. */
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed and is not queryable)/;

/** True when the database could not be asked or gave up for a passing reason: nothing is known to be stored; send again. */
export function isRetryable(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if (isPassing(at)) return true;
    if (at instanceof AggregateError && at.errors.some(isRetryable)) return true;
  }
  return false;
}

function isPassing(error: Error): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (STATES.includes(code) || SOCKET.includes(code)) return true;
  if (/^[0-9A-Z]{5}$/.test(code)) return CLASSES.includes(code.slice(0, 2));
  // A Unix socket that is not there: its server is between two lives.
  if (code === 'ENOENT') return 'syscall' in error && error.syscall === 'connect';
  return MESSAGES.test(error.message);
}
