import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chainAddress, chainsAddress, entryAddress, parseRoute, VERDICT_NAMES } from '../../src/web/route.ts';

test('an address that the page writes is read back as what it was written for', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }).filter((each) => each.isWellFormed());
  fc.assert(
    fc.property(text, text, fc.constantFrom(null, ...VERDICT_NAMES), (id, other, verdict) => {
      assert.deepEqual(parseRoute(chainAddress(id, other)), { kind: 'chain', id, hop: other });
      assert.deepEqual(parseRoute(chainAddress(id)), { kind: 'chain', id, hop: null });
      const filters = { verdict, service: other };
      assert.deepEqual(parseRoute(chainsAddress(filters)), { kind: 'chains', filters });
    }),
  );
  assert.deepEqual(parseRoute(entryAddress('17')), { kind: 'entry', index: '17' });
});

test('an address nobody wrote leads nowhere and never throws', () => {
  for (const hash of [
    '#/chains',
    '#/chains/',
    '#/chains/%',
    '#/entries/x',
    '#/entries/-1',
    '#/entries/01',
    '#/other/1',
  ]) {
    assert.equal(parseRoute(hash).kind, 'nowhere', hash);
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (hash) => void parseRoute(hash)));
});

test('a verdict that is none filters nothing', () => {
  assert.deepEqual(parseRoute('#/?verdict=fine'), { kind: 'chains', filters: { verdict: null, service: '' } });
});
