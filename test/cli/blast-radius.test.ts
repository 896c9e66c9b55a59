import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { blastRadius } from '../../src/cli/blast-radius.ts';
import { type Command, parseArguments } from '../../src/cli/command.ts';
import { parties } from '../../src/cli/parties.ts';
import { delegatedCall, digest } from '../chains/entries.ts';
import { observationsOf, testApi } from '../query/api.ts';

/** A server that knows one delegated call, and what commands print against it. */
async function commands(t: TestContext) {
  const { app, take } = await testApi(t);
  await take(observationsOf(delegatedCall().all));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return async (command: Command, argv: readonly string[]) => {
    let out = '';
    let err = '';
    const terminal = {
      out: (text: string) => {
        out += text;
      },
      err: (text: string) => {
        err += text;
      },
      color: false,
      environment: {},
    };
    const status = await command.run(parseArguments(command, [...argv, '--url', url]), terminal);
    return { out, err, status };
  };
}

test('blast-radius prints what was reached, the way there, and what would have stopped it', async (t) => {
  const run = await commands(t);
  const { out, status } = await run(blastRadius, ['ai_agent|https://idp|planner']);
  assert.equal(status, 0);
  assert.match(out, /^party ai_agent\|https:\/\/idp\|planner {2}reached\n2 hops in 1 chains; complete/);
  assert.match(out, /payments {2}1 hop\n {4}by planner → payments\n {4}payments verified the token/);
  assert.match(out, /stopped by: a token without invoice\.pay/);
  assert.match(out, /people whose authority was used\n {2}dana/);
  const token = await run(blastRadius, [digest('T31')]);
  assert.match(token.out, /^token /, '64 hex digits are a token');
  const back = await run(blastRadius, ['books', '--kind', 'service', '--backwards']);
  assert.match(back.out, /was led to by[\s\S]*gateway[\s\S]*dana \(user\)/);
  const json = await run(blastRadius, ['planner', '--json']);
  assert.equal(JSON.parse(json.out).actual.services.length, 2);
});

test('blast-radius of what is not known is status 1 and says what to try', async (t) => {
  const run = await commands(t);
  const { err, status } = await run(blastRadius, ['nobody']);
  assert.equal(status, 1);
  assert.match(err, /behalf parties/);
});

test('parties prints who acts, for whom, and what it holds and never needed', async (t) => {
  const run = await commands(t);
  const { out, status } = await run(parties, []);
  assert.equal(status, 0);
  assert.match(out, /ai_agent\|https:\/\/idp\|planner\n {4}last seen 2026-/);
  assert.match(out, /acts for {5}service\|https:\/\/idp\|gateway/);
  assert.match(out, /never needed {1}invoice\.pay/);
  const none = await run(parties, ['--party', 'nobody']);
  assert.equal(none.status, 1);
});
