import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../tamper/mutation.ts';
import { FORMATS, readOrRefuse } from './formats.ts';

/** A longer run: npm run test:formats -- --rounds 1000000 --seed 7 */
const whole = (name: string, otherwise: number): number => {
  const number = Number(process.env[name] ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new TypeError(`${name}: expected a whole number above 0`);
  return number;
};
const rounds = whole('BEHALF_FORMATS_ROUNDS', 1500);
const seed = whole('BEHALF_FORMATS_SEED', 1 + Math.floor(Math.random() * 2 ** 31));

/** What formats are made of, and what tells readers apart: line ends, signs, spaces nobody sees, numbers at their limits. */
const PIECES = [
  '\n',
  '\n\n',
  ' ',
  '\t',
  '\r',
  '+',
  '=',
  '/',
  '"',
  '\\',
  '\0',
  '\u2014',
  '\u00a0',
  '\ufeff',
  '0',
  '00',
  '-1',
]
  .concat([
    '18446744073709551615',
    '18446744073709551616',
    'x000/',
    '.p/',
    '.p/256',
    'old 0',
    'index 0',
    '\u{1f600}',
    ',',
  ])
  .map((piece) => new TextEncoder().encode(piece));

type Random = (below: number) => number;

/** A good file with one to three places changed: cut, repeated, overwritten, or filled with a piece or with bytes. */
function mutated(good: Uint8Array, random: Random): Uint8Array {
  let file: Uint8Array = good;
  for (let i = random(3); i >= 0; i -= 1) {
    const at = random(file.length + 1);
    const end = Math.min(file.length, at + random(random(4) === 0 ? 60 : 3));
    file = new Uint8Array(Buffer.concat([file.subarray(0, at), filling(file, random), file.subarray(end)]));
  }
  return file;
}

function filling(file: Uint8Array, random: Random): Uint8Array {
  const kind = random(4);
  if (kind === 0) return new Uint8Array(0);
  if (kind === 1) return PIECES[random(PIECES.length)] ?? new Uint8Array(0);
  if (kind === 2) return Uint8Array.from({ length: 1 + random(4) }, () => random(256));
  const from = random(file.length + 1);
  return file.subarray(from, from + random(80));
}

for (const format of FORMATS) {
  test(`${format.name}: whatever is given, it is written again as it was read, or refused`, (t) => {
    for (const good of format.good) assert.ok(readOrRefuse(format, good), 'a good one is read');
    let read = 0;
    for (let round = 0; round < rounds; round += 1) {
      const random = randomFrom(seed + round);
      const good = format.good[random(format.good.length)] ?? assert.fail();
      const file = mutated(good, random);
      try {
        if (readOrRefuse(format, file)) read += 1;
      } catch (error) {
        throw new Error(
          `seed ${seed + round}: ${JSON.stringify(Buffer.from(file).toString('latin1').slice(0, 2000))}`,
          {
            cause: error,
          },
        );
      }
    }
    t.diagnostic(`seed ${seed}: ${read} of ${rounds} read`);
  });
}
