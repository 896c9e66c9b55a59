/**
 * Writes protobuf from the end of its buffer to the front, so that a message's length is known when its prefix is written.
 * One is shared by all records: a record is written without a break and copied out by `take`.
 */
export class BackwardWriter {
  #bytes = Buffer.allocUnsafeSlow(16_384);
  #at = this.#bytes.length;

  /** How much is written: the difference of two marks is a message's length. */
  get mark(): number {
    return this.#bytes.length - this.#at;
  }

  reset(): void {
    this.#at = this.#bytes.length;
  }

  /** A copy of what is written since `reset`. */
  take(): Uint8Array {
    return Buffer.from(this.view());
  }

  /** What is written since `reset`, there until the next `reset`. */
  view(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  byte(value: number): void {
    this.#room(1);
    this.#at -= 1;
    this.#bytes[this.#at] = value;
  }

  /** A non-negative whole number up to 2^53 - 1. */
  varint(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1;
    this.#room(length);
    this.#at -= length;
    let rest = value;
    for (let index = 0; index < length - 1; index += 1) {
      this.#bytes[this.#at + index] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at + length - 1] = rest;
  }

  fixed32(value: number): void {
    this.#room(4);
    this.#at -= 4;
    this.#bytes.writeUInt32LE(value >>> 0, this.#at);
  }

  /** Nanoseconds since the Unix epoch, of whole microseconds up to 2^53: a BigInt for each record costs more. */
  nanos(micros: number): void {
    this.#room(8);
    this.#at -= 8;
    const high = Math.floor(micros / 2 ** 32);
    const low = (micros - high * 2 ** 32) * 1000;
    const carry = Math.floor(low / 2 ** 32);
    this.#bytes.writeUInt32LE(low - carry * 2 ** 32, this.#at);
    this.#bytes.writeUInt32LE(high * 1000 + carry, this.#at + 4);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }

  /** Lower-case hexadecimal digits, two a byte. */
  hex(text: string): void {
    const length = text.length / 2;
    this.#room(length);
    this.#at -= length;
    const at = this.#at;
    for (let index = 0; index < length; index += 1) {
      const high = digit(text.charCodeAt(index * 2));
      this.#bytes[at + index] = high * 16 + digit(text.charCodeAt(index * 2 + 1));
    }
  }

  /** Short ASCII text is copied here: a call into native code costs more than the copy. */
  text(text: string): void {
    const { length } = text;
    this.#room(length * 3);
    if (length <= 40) {
      const start = this.#at - length;
      let index = 0;
      for (; index < length; index += 1) {
        const code = text.charCodeAt(index);
        if (code > 127) break;
        this.#bytes[start + index] = code;
      }
      if (index === length) {
        this.#at = start;
        return;
      }
    }
    const size = Buffer.byteLength(text);
    this.#at -= size;
    this.#bytes.write(text, this.#at, size, 'utf8');
  }

  #room(needed: number): void {
    if (this.#at >= needed) return;
    const kept = this.#bytes.length - this.#at;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, kept + needed + 1024));
    this.#bytes.copy(larger, larger.length - kept, this.#at);
    this.#at = larger.length - kept;
    this.#bytes = larger;
  }
}

const digit = (code: number): number => (code > 57 ? code - 87 : code - 48);
