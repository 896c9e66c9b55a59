import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { isRetryable } from '#database';

const withCode = (code: string, more = {}) => Object.assign(new Error(code), { code, ...more });

test('what passes by itself is retryable: connections, resources, crashes, conflicts', () => {
  for (const code of ['08006', '08P01', '53100', '53300', '58030', '25006', '40001', '40P01', '55P03', '57014']) {
    assert.equal(isRetryable(withCode(code)), true, code);
  }
  for (const code of ['57P01', '57P02', '57P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']) {
    assert.equal(isRetryable(withCode(code)), true, code);
  }
});

test('what would fail again is not retryable: bad statements, lacking privileges, broken constraints, wrong passwords', () => {
  for (const code of ['23505', '23514', '22P02', '28P01', '42501', '42P01', '3D000', 'XX001', 'ENOENT', 'EACCES']) {
    assert.equal(isRetryable(withCode(code)), false, code);
  }
  for (const value of [undefined, null, 'ECONNREFUSED', { code: '40001' }, new Error('a mistake'), new TypeError()]) {
    assert.equal(isRetryable(value), false);
  }
});

test('a retryable cause makes its error retryable, and so does one address of several', () => {
  assert.equal(isRetryable(new Error('outer', { cause: new Error('middle', { cause: withCode('40001') }) })), true);
  assert.equal(isRetryable(new AggregateError([withCode('EINVAL'), withCode('ECONNREFUSED')])), true);
  assert.equal(isRetryable(new AggregateError([withCode('EINVAL')])), false);
});

test('an error that is its own cause ends', () => {
  const error = new Error('round');
  error.cause = error;
  assert.equal(isRetryable(error), false);
});

test('a server that refuses connections, or whose Unix socket is missing, is retryable as Node reports it', async () => {
  const missing = connect(join(tmpdir(), 'behalf-no-such-socket'));
  const error = await new Promise<unknown>((resolve) => missing.once('error', resolve));
  assert.equal(isRetryable(error), true);
  const refused = new pg.Client({ host: '127.0.0.1', port: 1 });
  assert.equal(isRetryable(await refused.connect().catch((caught: unknown) => caught)), true);
});
