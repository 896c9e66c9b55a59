/**
 * `configuration`: what the operator gave cannot work. `in_use`: another server holds the data folder. `unsupported`: this
 * machine or server version cannot run it. `migration`: schema and program do not fit. `unavailable`: PostgreSQL did not start.
 */
export type DatabaseErrorCode = 'configuration' | 'in_use' | 'unsupported' | 'migration' | 'unavailable';

/** Why there is no database to work with. The message is fit for an operator and never holds a password. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: DatabaseErrorCode;

  constructor(code: DatabaseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
