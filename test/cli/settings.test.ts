import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../src/cli/command.ts';
import { settingsFrom } from '../../src/cli/settings.ts';

test('without any variable the server listens on this machine, on the documented ports', () => {
  const { host, apiPort, otlpHttpPort, otlpGrpcPort, databaseUrl } = settingsFrom({});
  assert.deepEqual(
    [host, apiPort, otlpHttpPort, otlpGrpcPort, databaseUrl],
    ['127.0.0.1', 7400, 4318, 4317, undefined],
  );
});

for (const host of ['127.0.0.1', '127.8.9.10', '::1', '[::1]', 'localhost']) {
  test(`${host} is this machine`, () =>
    assert.equal(settingsFrom({ BEHALF_HOST: host }).host, host.replace(/[[\]]/g, '')));
}

for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.0.0.1.example.com', '128.0.0.1', 'localhost.']) {
  test(`without authentication the server refuses to listen on ${host}, and says why`, () =>
    assert.throws(() => settingsFrom({ BEHALF_HOST: host }), /BEHALF_HOST: expected a loopback address.*authenticat/));
}

for (const port of ['-1', '65536', '1e3', '80 ', 'x', '999999']) {
  test(`"${port}" is no port, and the variable is named`, () =>
    assert.throws(
      () => settingsFrom({ BEHALF_API_PORT: port }),
      (error) => error instanceof UsageError && /BEHALF_API_PORT: expected a port/.test(error.message),
    ));
}

test('the window of ids is 24 hours unless a number of hours from 24 to 8784 is given', () => {
  assert.equal(settingsFrom({}).idWindowHours, 24);
  assert.equal(settingsFrom({ BEHALF_ID_WINDOW_HOURS: '8784' }).idWindowHours, 8784);
  for (const bad of ['23', '8785', '1e3', '-24', 'a day']) {
    assert.throws(
      () => settingsFrom({ BEHALF_ID_WINDOW_HOURS: bad }),
      /expected a number of hours from 24 to 8784/,
      bad,
    );
  }
});
