import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { checkHost, isThisMachine } from '../../src/cli/host-check.ts';

const app = fastify();
checkHost(app);
app.get('/', () => 'answer');

for (const host of ['127.0.0.1', '127.0.0.1:7400', 'localhost:7400', 'LOCALHOST', '[::1]:7400', '127.9.8.7']) {
  test(`Host ${host} is answered`, async () =>
    assert.equal((await app.inject({ url: '/', headers: { host } })).statusCode, 200));
}

for (const host of [
  'evil.example',
  'evil.example:7400',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '10.0.0.1',
]) {
  test(`Host "${host}" is refused: another site’s name may have been pointed here`, async () => {
    const answer = await app.inject({ url: '/', headers: { host } });
    assert.deepEqual([answer.statusCode, answer.json().code], [421, 'misdirected']);
  });
}

test('no Host at all is not this machine', () => assert.equal(isThisMachine(''), false));
