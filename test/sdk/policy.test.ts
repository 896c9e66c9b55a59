import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type GuardMode, opaPolicy, type Policy, type PolicyQuestion } from '@behalf/sdk';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { nestedAct } from './token-issuer.ts';

async function service(t: TestContext, policy: Policy, mode: GuardMode = 'enforce') {
  const made = await guardedService(t, { guard: { policy, mode }, options: { automatic: true } });
  const rules = { scopes: ['invoice.pay'], resource: 'invoice:1', operation: 'pay', purpose: 'payment' };
  made.app.post('/pay', { config: { behalf: rules } }, async () => 'paid');
  made.app.get('/open', { config: { behalf: { public: true } } }, async () => 'open');
  const pay = async (claims: object = {}) => {
    const headers = { authorization: `Bearer ${await made.issuer.sign({ ...claims })}` };
    const answer = await made.app.inject({ method: 'POST', url: '/pay', headers });
    await made.behalf.flush();
    const { decision } = made.receiver.observations.at(-1) as HopObservation;
    return { status: answer.statusCode, body: answer.payload, decision };
  };
  return { ...made, pay };
}

test('a policy is asked who does what to what, and its answer is the decision that is recorded', async (t) => {
  const asked: PolicyQuestion[] = [];
  const { pay, app, issuer } = await service(t, async (question) => {
    asked.push(question);
    return question.actors.length > 1
      ? { outcome: 'deny', policy: 'no-chains', reason: 'two actors' }
      : { outcome: 'permit', policy: 'no-chains' };
  });
  const permitted = await pay({ act: nestedAct(1) });
  assert.deepEqual([permitted.status, permitted.decision], [200, { outcome: 'permit', policy: 'no-chains' }]);
  const { subject, actors, ...rest } = asked[0] ?? assert.fail('not asked');
  assert.deepEqual([subject?.id, subject?.issuer, actors.map(({ id }) => id)], ['dana', issuer.issuer, ['actor-1']]);
  assert.deepEqual(rest, { resource: 'invoice:1', purpose: 'payment', operation: 'pay', scopes: ['invoice.pay'] });
  const denied = await pay({ act: nestedAct(2) });
  assert.deepEqual([denied.status, JSON.parse(denied.body).code], [403, 'policy_denied']);
  assert.deepEqual(denied.decision, { outcome: 'deny', policy: 'no-chains', reason: 'policy_denied: two actors' });
  assert.doesNotMatch(denied.body, /two actors/, 'the reason is not told to the caller');
  assert.equal((await pay({ scope: 'other' })).status, 403);
  assert.equal((await app.inject('/open')).payload, 'open');
  assert.equal(asked.length, 2, 'neither a request without the scope nor a public one is asked about');
});

test('a policy that throws, says nothing sensible or does not answer denies; in observe it is only recorded', async (t) => {
  const broken: [string, Policy][] = [
    ['throws', () => assert.fail('broken')],
    ['rejects', async () => Promise.reject(new Error('broken'))],
    ['says nothing', (() => undefined) as unknown as Policy],
    ['says what is no answer', (() => ({ outcome: 'maybe' })) as unknown as Policy],
    ['never answers', () => new Promise(() => {})],
  ];
  for (const [name, policy] of broken) {
    const { status, decision } = await (await service(t, policy)).pay();
    assert.deepEqual([status, decision?.outcome, decision?.reason], [503, 'deny', 'policy_unavailable'], name);
  }
  const { status, decision } = await (await service(t, broken[0]?.[1] as Policy, 'observe')).pay();
  assert.deepEqual([status, decision?.outcome, decision?.reason], [200, 'permit', 'would_deny:policy_unavailable']);
});

test('Open Policy Agent is asked through its Data API, outside what is recorded', async (t) => {
  const inputs: PolicyQuestion[] = [];
  let result: unknown = true;
  const agent = createServer(async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part);
    assert.equal(req.url, '/v1/data/payments/allow');
    inputs.push(JSON.parse(Buffer.concat(parts).toString()).input);
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(result === undefined ? {} : { result }));
  });
  await new Promise<void>((listening) => agent.listen(0, '127.0.0.1', listening));
  t.after(() => agent.close());
  const url = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/v1/data/payments/allow`;
  const { pay, receiver } = await service(t, opaPolicy({ url }));
  assert.deepEqual((await pay()).decision, { outcome: 'permit', policy: 'opa:payments/allow' });
  assert.deepEqual([inputs[0]?.subject?.id, inputs[0]?.operation], ['dana', 'pay']);
  result = { allow: false, reason: 'too late' };
  assert.deepEqual((await pay()).decision, {
    outcome: 'deny',
    policy: 'opa:payments/allow',
    reason: 'policy_denied: too late',
  });
  result = undefined; // an undefined document
  assert.deepEqual((await pay()).decision?.reason, 'policy_unavailable');
  result = 'yes';
  assert.deepEqual((await pay()).decision?.reason, 'policy_unavailable');
  assert.ok(receiver.observations.every((each) => each.kind === 'hop' && each.side === 'callee'));
  assert.throws(() => opaPolicy({ url: 'payments' }), /opaPolicy: url/);
});
