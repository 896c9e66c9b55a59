/** Numbers that look random and are the same for the same seed (mulberry32). Each below `bound`. */
export function numbersFrom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** Bytes that mean something in JSON or at the edges of protobuf's. */
const TELLING = Buffer.from('{}[],:"0-\\\0\u00ff\u007f\u0080');

/** The body with one to six changes: bytes set, flipped, dropped, inserted, cut, repeated, or moved from elsewhere. */
export function mutated(body: Buffer, next: (bound: number) => number): Buffer {
  let changed = body;
  for (let left = 1 + next(6); left > 0; left -= 1) changed = changeOnce(changed, next);
  return changed;
}

function changeOnce(body: Buffer, next: (bound: number) => number): Buffer {
  const at = next(body.length + 1);
  const [before, after] = [body.subarray(0, at), body.subarray(at)];
  const length = 1 + next(40);
  const byte = next(2) === 0 ? next(256) : (TELLING[next(TELLING.length)] ?? 0);
  const from = next(body.length + 1);
  switch (next(7)) {
    case 0:
      return Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
    case 1:
      return Buffer.concat([before, Buffer.of((after[0] ?? 0) ^ (1 << next(8))), after.subarray(1)]);
    case 2:
      return Buffer.concat([before, after.subarray(length)]);
    case 3:
      return Buffer.concat([before, Buffer.alloc(length, byte), after]);
    case 4:
      return before;
    case 5:
      return Buffer.concat([before, after.subarray(0, length), after]);
    default:
      return Buffer.concat([before, body.subarray(from, from + length), after]);
  }
}
