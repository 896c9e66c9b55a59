import { randomBytes } from 'node:crypto';
import type { Pending } from '../../../src/ledger/batch.ts';

export const ENTRY_BYTES = 600;
const HEAD = '{"id":"';

let made = 0;

/** UUIDv7 in form and order, and cheap: making ids is not what is measured. */
function nextId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  made += 1;
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${made.toString(16).padStart(12, '0')}`;
}

/** Entries of the size of a usual hop, the same memory each time they are renewed: only when they are stored already. */
export class Entries {
  readonly #bytes: readonly Buffer[];

  constructor(count: number) {
    const rest = ENTRY_BYTES - HEAD.length - 36 - '","pad":""}'.length;
    this.#bytes = Array.from({ length: count }, () => {
      const pad = randomBytes(Math.ceil(rest / 2))
        .toString('hex')
        .slice(0, rest);
      return Buffer.from(`${HEAD}${nextId()}","pad":"${pad}"}`);
    });
  }

  /** Under fresh ids, which stand in the bytes too. */
  renewed(): Pending[] {
    return this.#bytes.map((bytes) => {
      const id = nextId();
      bytes.write(id, HEAD.length, 'latin1');
      return { id, bytes };
    });
  }
}
