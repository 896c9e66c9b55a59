import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type CedarOptions, cedarPolicy } from '@behalf/sdk';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { HopObservation } from '#observation';
import { guardedService } from './guarded-service.ts';
import { nestedAct } from './token-issuer.ts';

/** A guarded payment under Cedar's own engine; `policies` may need the issuer. */
async function service(t: TestContext, policies: (issuer: string) => string, more: Partial<CedarOptions> = {}) {
  let ask: ReturnType<typeof cedarPolicy> | undefined;
  const made = await guardedService(t, {
    guard: { policy: (question) => ask?.(question) ?? assert.fail('not ready') },
    options: { assume: { subject: 'user', actor: 'ai_agent' } },
  });
  ask = cedarPolicy({ cedar, policies: policies(made.issuer.issuer), ...more });
  const rules = { scopes: ['invoice.pay'], resource: 'invoice:1', operation: 'pay', purpose: 'payment' };
  made.app.post('/pay', { config: { behalf: rules } }, async () => 'paid');
  return async (claims: object = {}) => {
    const headers = { authorization: `Bearer ${await made.issuer.sign({ ...claims })}` };
    const answer = await made.app.inject({ method: 'POST', url: '/pay', headers });
    await made.behalf.flush();
    const { decision } = made.receiver.observations.at(-1) as HopObservation;
    return [answer.statusCode, decision?.outcome, decision?.policy, decision?.reason];
  };
}

test('Cedar’s own engine decides on subject, actors, scopes, operation, resource and purpose', async (t) => {
  const pay = await service(
    t,
    (issuer) => `permit(principal == User::"${issuer}#dana", action == Action::"pay", resource == Resource::"invoice:1")
      when { context.scopes.contains("invoice.pay") && context.purpose == "payment" &&
        principal.issuer == "${issuer}" && principal.id == "dana" && principal.basis == "token" };
    forbid(principal, action, resource) when { context.actors.contains(AiAgent::"${issuer}#actor-9") };
    forbid(principal, action, resource) when { context has actor && context.actor == AiAgent::"${issuer}#actor-2" };`,
    { name: 'payments' },
  );
  assert.deepEqual(await pay(), [200, 'permit', 'payments', 'policy0']);
  assert.deepEqual(await pay({ act: nestedAct(1) }), [200, 'permit', 'payments', 'policy0']);
  assert.deepEqual(await pay({ act: nestedAct(2) }), [403, 'deny', 'payments', 'policy_denied: policy2']);
  assert.deepEqual(await pay({ act: nestedAct(9) }), [403, 'deny', 'payments', 'policy_denied: policy1']);
  assert.deepEqual(await pay({ sub: 'erin' }), [403, 'deny', 'payments', 'policy_denied'], 'nothing permits');
  assert.deepEqual(await pay({ sub: '#dana' }), [403, 'deny', 'payments', 'policy_denied'], 'ids are compared exactly');
});

test('entities of the program stand before a party of the same name, and hold its groups', async (t) => {
  let dana = { type: 'User', id: '' };
  const accountants = { type: 'Group', id: 'accountants' };
  const entities: CedarOptions['entities'] = [
    {
      get uid() {
        return dana;
      },
      attrs: {},
      parents: [accountants],
    },
    { uid: accountants, attrs: {}, parents: [] },
  ];
  const pay = await service(
    t,
    (issuer) => {
      dana = { type: 'User', id: `${issuer}#dana` };
      return 'permit(principal in Group::"accountants", action, resource);';
    },
    { entities },
  );
  assert.deepEqual(await pay(), [200, 'permit', 'cedar', 'policy0']);
  assert.equal((await pay({ sub: 'erin' }))[0], 403);
});

test('a policy that cannot be evaluated denies, also where another permits', async (t) => {
  const pay = await service(
    t,
    () => 'permit(principal, action, resource); forbid(principal, action, resource) when { context.nothing };',
  );
  assert.deepEqual(await pay(), [503, 'deny', 'behalf-guard/enforce', 'policy_unavailable']);
  const other = await service(t, () => 'permit(principal, action, resource);', {
    entities: [{ uid: { type: 'no type', id: '' }, attrs: {}, parents: [] }],
  });
  assert.equal((await other())[0], 503);
});

test('policies that are none are told at start', () => {
  assert.throws(() => cedarPolicy({ cedar, policies: 'permit(' }), /cedarPolicy: policies cannot be parsed/);
});
