import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { behalfFromEnvironment, startBehalf } from '@behalf/sdk';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { Complaints } from '../../src/sdk/complaints.ts';

function listen(t: TestContext): () => readonly string[] {
  const said: string[] = [];
  const note = (message: string) => void said.push(message);
  diag.setLogger({ error: note, warn: note, info: () => {}, debug: () => {}, verbose: () => {} }, DiagLogLevel.WARN);
  t.after(() => diag.disable());
  return () => said.filter((message) => message.startsWith('behalf: '));
}

test('what goes wrong again and again is told once a minute, and how often it was', (t) => {
  const said = listen(t);
  let nowMs = 0;
  const complaints = new Complaints(() => nowMs);
  for (; nowMs < 150_000; nowMs += 1_000) complaints.say('error', 'disk', 'the disk is full');
  complaints.say('warn', 'other', 'another kind');
  assert.deepEqual(said(), [
    'behalf: the disk is full',
    'behalf: the disk is full (and 59 times since this was last said)',
    'behalf: the disk is full (and 59 times since this was last said)',
    'behalf: another kind',
  ]);
});

test('a wrong or contradictory variable is one error at start that names it', (t) => {
  const before = { ...process.env };
  t.after(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('BEHALF_')) delete process.env[name];
    Object.assign(process.env, before);
  });
  const wrong: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{}, /set BEHALF_SERVICE/],
    [{ BEHALF_SERVICE: '' }, /^behalfFromEnvironment: BEHALF_SERVICE must be a string of 1 to 255 characters$/],
    [{ OTEL_SERVICE_NAME: 'x'.repeat(256) }, /OTEL_SERVICE_NAME must be/],
    [{ BEHALF_SERVICE: 's', BEHALF_COLLECTOR_URL: 'ftp://a' }, /BEHALF_COLLECTOR_URL must be an http or https URL/],
    [{ BEHALF_SERVICE: 's', BEHALF_ENVIRONMENT: '' }, /BEHALF_ENVIRONMENT must be a string/],
    [{ BEHALF_SERVICE: 's', BEHALF_INGEST_KEY: 'a\nb' }, /BEHALF_INGEST_KEY must be names and values HTTP can carry/],
    [{ BEHALF_SERVICE: 's', BEHALF_SPOOL_FOLDER: '/dev/null/x' }, /BEHALF_SPOOL_FOLDER cannot be used: ENOTDIR/],
    [{ BEHALF_SERVICE: 's', BEHALF_AUDIENCES: 'a.example' }, /BEHALF_AUDIENCES: expected origin=audience/],
    [{ BEHALF_SERVICE: 's', BEHALF_AUDIENCES: 'http://a/b=c' }, /BEHALF_AUDIENCES must be keyed by origin/],
  ];
  for (const [variables, message] of wrong) {
    for (const name of Object.keys(process.env))
      if (name.startsWith('BEHALF_') || name === 'OTEL_SERVICE_NAME') delete process.env[name];
    Object.assign(process.env, variables);
    assert.throws(() => behalfFromEnvironment(), { name: 'TypeError', message });
  }
});

test('options that contradict one another, and headers that cannot be sent, are told at start without their values', () => {
  const spool = { folder: '/dev/null/x' };
  assert.throws(() => startBehalf({ service: 's', queueSize: 5, spool }), /queueSize and spool exclude one another/);
  assert.throws(
    () => startBehalf({ service: 's', headers: { 'Content-Type': 'x' } }),
    /headers must not hold Content-Type/,
  );
  assert.throws(
    () => startBehalf({ service: 's', headers: { authorization: 'Bearer se\0cret' } }),
    ({ name, message }: Error) =>
      name === 'TypeError' && /see authorization$/.test(message) && !message.includes('cret'),
  );
});
