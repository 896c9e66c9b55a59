import pg from 'pg';

/** PostgreSQL, "COPY", Binary Format: signature, no flags, no extension. */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** A connection whose server takes rows in. */
interface Receiving {
  readonly stream: { write(bytes: Uint8Array): unknown };
}

/** pg knows the protocol's messages of `copy … from stdin` and sends none; this sends them. */
class CopyIn extends pg.Query {
  readonly #rows: Uint8Array;

  constructor(sql: string, rows: Uint8Array, done: (error?: Error | null) => void) {
    super(sql, done);
    this.#rows = rows;
  }

  /** Called by pg when the server awaits the rows: one CopyData with all of them, then CopyDone. */
  handleCopyInResponse({ stream }: Receiving): void {
    const head = Buffer.from('d\0\0\0\0', 'latin1');
    head.writeUInt32BE(4 + this.#rows.length, 1);
    for (const part of [head, this.#rows, Buffer.from('c\0\0\0\x04', 'latin1')]) stream.write(part);
  }
}

/** Rows in binary form, as `copyIn` sends them. */
export class BinaryRows {
  readonly #bytes: Buffer;
  readonly #fields: number;
  #at: number;

  /** `dataBytes`: the sum of all fields' lengths. */
  constructor({ rows, fields, dataBytes }: { rows: number; fields: number; dataBytes: number }) {
    this.#bytes = Buffer.allocUnsafe(HEADER.length + rows * (2 + 4 * fields) + dataBytes + 2);
    this.#at = HEADER.copy(this.#bytes);
    this.#fields = fields;
  }

  row(): this {
    this.#at = this.#bytes.writeInt16BE(this.#fields, this.#at);
    return this;
  }

  int4(value: number): this {
    this.#at = this.#bytes.writeInt32BE(value, this.#bytes.writeInt32BE(4, this.#at));
    return this;
  }

  int8(value: bigint): this {
    this.#at = this.#bytes.writeBigInt64BE(value, this.#bytes.writeInt32BE(8, this.#at));
    return this;
  }

  /** bytea, or uuid with 16 bytes. */
  bytes(value: Uint8Array): this {
    this.#at = this.#bytes.writeInt32BE(value.length, this.#at);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** Everything, closed; throws TypeError when the announced lengths were not met. */
  finish(): Uint8Array {
    this.#at = this.#bytes.writeInt16BE(-1, this.#at);
    if (this.#at !== this.#bytes.length) throw new TypeError('BinaryRows: other lengths than announced');
    return this.#bytes;
  }
}

/** Runs `copy … from stdin (format binary)` on a connection. Rejects as a statement does. */
export function copyIn(client: pg.ClientBase, sql: string, rows: BinaryRows): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(sql, rows.finish(), (error) => (error ? reject(error) : resolve())));
  });
}
