import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressInEntry } from '../../src/ledger/address.ts';

const tag = (host: string): string => `tag of ${host}`;

const STAY = ['10.1.2.3', '10.1.2.3:443', '127.0.0.1:9', '192.168.0.4', '172.31.0.1', '100.64.0.1', '169.254.1.1'];
const STAY_V6 = ['::1', '[::1]:80', 'fd00::1', 'FE80::1', '::ffff:10.0.0.1', '[::ffff:127.0.0.1]:8080'];
const NAMES = ['localhost', 'localhost:3000', 'payments', 'books.prod.svc', 'db.internal', 'x.local:1', 'a.test'];

for (const side of ['caller', 'callee', 'local'] as const) {
  test(`internal addresses and names stay (${side})`, () => {
    for (const address of [...STAY, ...STAY_V6, ...NAMES]) assert.equal(addressInEntry(address, side, tag), address);
  });
  test(`public addresses are tagged without their port (${side})`, () => {
    for (const [address, host] of [
      ['203.0.113.7', '203.0.113.7'],
      ['203.0.113.7:51111', '203.0.113.7'],
      ['172.32.0.1', '172.32.0.1'],
      ['2001:DB8::1', '2001:db8::1'],
      ['[2001:db8::1]:443', '2001:db8::1'],
      ['::ffff:203.0.113.7', '203.0.113.7'],
    ] as const) {
      assert.equal(addressInEntry(address, side, tag), `tag of ${host}`);
    }
  });
}

test('the name of a host that was called stays; that of a calling host outside is tagged, however it looks', () => {
  for (const name of ['api.example.com', 'api.example.com:443', '10.evil.example', 'local.evil.example']) {
    assert.equal(addressInEntry(name, 'caller', tag), name);
    assert.match(addressInEntry(name, 'callee', tag), /^tag of [a-z0-9.]+$/);
  }
});
