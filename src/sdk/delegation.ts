import type { Authority } from './authority.ts';
import type { Party } from './party.ts';
import type { SpanRef } from './trace-context.ts';

/**
 * On whose behalf the running code acts: taken from a verified token. Safe to log or serialise: the token itself is
 * private and leaves only through `bearerToken()`.
 */
export class Delegation {
  /** Whose authority is used. */
  readonly subject?: Party;
  /** Who acts, oldest first; the last one acts now. */
  readonly actors: readonly Party[];
  /** The grant: allow-listed claims, digest, verification. */
  readonly authority: Authority;
  /** The inbound hop. */
  readonly hop: SpanRef;
  /** What for, where `delegate` was told. */
  readonly purpose?: string;
  readonly #token: string;

  constructor(o: {
    subject: Party | undefined;
    actors: readonly Party[];
    authority: Authority;
    hop: SpanRef;
    token: string;
    purpose?: string | undefined;
  }) {
    if (o.subject !== undefined) this.subject = o.subject;
    this.actors = o.actors;
    this.authority = o.authority;
    this.hop = o.hop;
    if (o.purpose !== undefined) this.purpose = o.purpose;
    this.#token = o.token;
    Object.freeze(this);
  }

  /** The verified token, to forward it or to exchange it (RFC 8693). Never log it. */
  bearerToken(): string {
    return this.#token;
  }
}
