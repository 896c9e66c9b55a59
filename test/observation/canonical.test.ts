import assert from 'node:assert/strict';
import { test } from 'node:test';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import Type, { type TSchema } from 'typebox';
import { canonicalWriter } from '../../src/observation/canonical.ts';
import { Entry, Observation } from '../../src/observation/observation.ts';

/** Text of all kinds: plain, with what JSON escapes, beyond the first plane, long; lone surrogates are another test's. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme-ascii' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '"', '\\', '\n', '\u007f', '\u2028', '/', '\ud83d\ude00', '\\ud800', '<script>', '\0'),
);

/** Any value that has the shape of a schema, whatever its texts hold: keys in any order, optional ones there or not. */
function valuesOf(schema: TSchema): fc.Arbitrary<unknown> {
  const { properties, required, anyOf, patternProperties, items, enum: one, const: only, type } = schema as Shape;
  if (only !== undefined) return fc.constant(only);
  if (one !== undefined) return fc.constantFrom(...one);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(valuesOf));
  if (items !== undefined) return fc.array(valuesOf(items), { maxLength: 4 });
  if (patternProperties !== undefined) {
    const [value = Type.String()] = Object.values(patternProperties);
    return fc.dictionary(text, valuesOf(value), { maxKeys: 4 });
  }
  if (properties === undefined) return type === 'integer' ? fc.maxSafeInteger() : text;
  const fields = fc.record(Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, valuesOf(each)])), {
    requiredKeys: [...(required ?? [])],
  });
  return fields.chain((made) =>
    fc
      .shuffledSubarray(Object.keys(made), { minLength: Object.keys(made).length })
      .map((keys) => Object.fromEntries(keys.map((key) => [key, made[key]]))),
  );
}

interface Shape {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly TSchema[];
  readonly patternProperties?: Readonly<Record<string, TSchema>>;
  readonly items?: TSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

for (const [what, union] of [
  ['entry', Entry],
  ['observation', Observation],
] as const) {
  for (const schema of union.anyOf) {
    test(`any ${what} of kind ${schema.properties.kind.const} is written as canonicalize writes it`, () => {
      const write = canonicalWriter(schema);
      fc.assert(
        fc.property(valuesOf(schema), (value) => assert.equal(write(value), canonicalize(value))),
        { numRuns: 1000 },
      );
    });
  }
}

test('what has no canonical form is refused: lone surrogates, numbers that are none, other types', () => {
  const writeText = canonicalWriter(Type.String());
  for (const odd of ['\ud800', 'a\udfff', '\udc00\ud800', 7, null, {}]) assert.throws(() => writeText(odd), TypeError);
  const writeInteger = canonicalWriter(Type.Integer());
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, '7', null])
    assert.throws(() => writeInteger(odd), TypeError);
  const writeRecord = canonicalWriter(Type.Record(Type.String(), Type.String()));
  assert.throws(() => writeRecord({ '\ud800': 'x' }), TypeError);
});

test('every code unit alone in a text is written as JSON.stringify writes it, or refused', () => {
  const write = canonicalWriter(Type.String());
  for (let code = 0; code < 0x1_0000; code += 1) {
    const one = String.fromCharCode(code);
    if (one.isWellFormed()) assert.equal(write(one), JSON.stringify(one));
    else assert.throws(() => write(one), TypeError);
  }
});

test('a schema with a keyword it has no rule for is refused when the writer is made', () => {
  assert.throws(() => canonicalWriter(Type.Boolean()), /no rule for the schema/);
});
