/**
 * `overloaded`, `closing`, `unavailable`: passing; send again. `unwitnessed`: too few witnesses cosigned; `unsigned`: the
 * signer gave no signature; both are tried again. `failed`: the database refused a statement. `corrupt`: what is stored
 * does not agree with itself; `rollback`: the database holds less than was signed; `rewritten`: it holds something else
 * than was signed; `missing`: the log is not there; `mismatch`: the key folder or origin is another log's; `key`: a key is
 * unfit. After one of the last six nothing is appended or signed until the operator acted.
 */
export type LedgerErrorCode =
  | 'overloaded'
  | 'closing'
  | 'unavailable'
  | 'unwitnessed'
  | 'unsigned'
  | 'failed'
  | 'corrupt'
  | 'rollback'
  | 'rewritten'
  | 'missing'
  | 'mismatch'
  | 'key';

const RETRYABLE: readonly LedgerErrorCode[] = ['overloaded', 'closing', 'unavailable', 'unwitnessed', 'unsigned'];
const FATAL: readonly LedgerErrorCode[] = ['corrupt', 'rollback', 'rewritten', 'missing', 'mismatch', 'key'];

/** Why the ledger did not do what it was asked. The message is fit for an operator and holds no entry content. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerErrorCode;

  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** True when the same request may succeed later without anyone's help. */
  get retryable(): boolean {
    return RETRYABLE.includes(this.code);
  }

  /** True when the log's state needs its operator: going on would build on it. */
  get fatal(): boolean {
    return FATAL.includes(this.code);
  }

  /** What a sender is told to wait. */
  get retryAfterSeconds(): number {
    return this.code === 'overloaded' ? 1 : 5;
  }
}
