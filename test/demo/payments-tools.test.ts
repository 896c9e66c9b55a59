import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationOf, scopesFor } from '../../src/demo/payments-tools.ts';

const call = (name: unknown) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

test('a tool call needs its own scope, and a batch the scopes of all its calls', () => {
  assert.deepEqual(scopesFor(call('pay_invoice')), ['invoice.pay']);
  assert.deepEqual(scopesFor(call('add_payee')), ['payee.write']);
  assert.deepEqual(scopesFor([call('pay_invoice'), call('add_payee'), call('pay_invoice')]), [
    'invoice.pay',
    'payee.write',
  ]);
});

test('steps of the protocol need no scope, and hostile bodies name no tool', () => {
  const hostile = [undefined, null, 7, 'tools/call', [], {}, call(undefined), call({ name: 'pay_invoice' }), call('x')];
  for (const body of [{ method: 'initialize' }, ...hostile]) assert.deepEqual(scopesFor(body), []);
  for (const body of [{ method: 'tools/call', params: null }, [null, [7]]]) assert.deepEqual(scopesFor(body), []);
});

test('a request is called by its tool, else by its method, of bounded length', () => {
  assert.equal(operationOf(call('pay_invoice')), 'tools/call pay_invoice');
  assert.equal(operationOf({ method: 'initialize' }), 'initialize');
  assert.equal(operationOf(null), 'unknown');
  assert.ok(operationOf({ method: 'x'.repeat(10_000) }).length <= 100);
  assert.ok(operationOf(call('x'.repeat(10_000))).length <= 512);
});
