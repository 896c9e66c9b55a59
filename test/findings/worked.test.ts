import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Behalf, startBehalf } from '@behalf/sdk';
import fastify from 'fastify';
import { buildCollector } from '#collector';
import type { BlastRadiusAnswer, ChainAnswer, ChainsAnswer } from '#query';
import { actorsOf, type ExchangeSeen } from '../../src/demo/delegation.ts';
import { EXCHANGE_CALL, exchangeToken } from '../../src/demo/exchange-token.ts';
import {
  BOOKS,
  type DemoService,
  GATEWAY,
  PAY_INVOICE,
  PAYMENTS,
  PLANNER,
  SERVICES,
  WRITE_PAYEE,
} from '../../src/demo/parties.ts';
import { signIn } from '../../src/demo/sign-in.ts';
import { testApi } from '../query/api.ts';
import { openProvider, PASSWORD, secretOf } from './provider.ts';

/** What happens in one play of dana’s invoice, beside what always does. */
interface Plot {
  /** Requesters whose actors the issuer drops. */
  readonly launders?: readonly string[];
  /** The payments service calls books with its own authority and this scope, about the payee it was called about. */
  readonly ownScope?: string;
  /** Where the token that reached books is used again. */
  readonly replayFrom?: string;
}

/** Holds the page that tells these examples to what comes out. */
async function assertTold(outcome: string, sentence: string): Promise<void> {
  assert.ok(outcome.includes(sentence), outcome);
  const page = await readFile(join(import.meta.dirname, '..', '..', 'src', 'chains', 'findings.md'), 'utf8');
  assert.ok(page.includes(sentence), `src/chains/findings.md does not say: ${sentence}`);
}

test('an issuer that drops the actors of a token is found: the delegation was laundered', async (t) => {
  const { chain } = await play(t, { launders: [PAYMENTS.name] });
  assert.equal(chain.verdict, 'suspicious');
  await assertTold(
    chain.reason,
    'an exchange made service gateway, ai_agent planner vanish: service gateway, ai_agent planner became no actor',
  );
});

test('a service that uses its own authority for what its caller may not do is a confused deputy', async (t) => {
  const { chain } = await play(t, { ownScope: WRITE_PAYEE });
  assert.equal(chain.verdict, 'suspicious');
  await assertTold(
    chain.reason,
    'service payments used payee.write of its own on payee:7, for ai_agent planner who does not hold it',
  );
});

test('a stolen token that is used again from elsewhere is a replay, and the robbed are not to blame', async (t) => {
  const { chain, others } = await play(t, { replayFrom: '127.0.0.66' });
  assert.equal(chain.verdict, 'permitted', chain.reason);
  assert.deepEqual(
    others.map(({ verdict }) => verdict),
    ['suspicious'],
  );
  await assertTold(
    others[0]?.reason ?? '',
    'came again, from 127.0.0.66 instead of 127.0.0.1, in a call nobody reports making',
  );
});

test('a poisoned agent that stays inside its scopes reads permitted, with its reach shown', async (t) => {
  const { chain, radius } = await play(t, {});
  assert.equal(chain.verdict, 'permitted', chain.reason);
  const answer = await radius(PLANNER.name);
  assert.deepEqual(
    answer.actual.services.map(({ what }) => what),
    ['payments', 'books', 'provider'],
  );
  assert.deepEqual(
    answer.actual.resources.map(({ what }) => what),
    ['payee:7'],
  );
  assert.deepEqual(
    answer.actual.parties.map(({ what }) => what.id),
    ['dana'],
  );
  await assertTold(
    answer.actual.services[1]?.wouldHaveStopped ?? '',
    'a token without invoice.pay: every boundary on the way verified and enforced',
  );
  assert.match(
    answer.actual.services[0]?.checkedBy ?? '',
    /payments verified the token of ai_agent planner and required invoice\.pay/,
  );
});

/** Dana asks the gateway, which asks the planner, which asks payments, which asks books: real tokens, real guards, OTLP. */
async function play(t: TestContext, { launders = [], ownScope, replayFrom }: Plot) {
  const api = await testApi(t);
  const collector = buildCollector({ ledger: api.ledger, idKey: new Uint8Array(32) });
  t.after(() => collector.close());
  const collectorUrl = await collector.listen({ host: '127.0.0.1', port: 0 });
  const idp = startBehalf({ service: 'provider', collectorUrl });
  const issuer = await openProvider(t, { launders, onExchange: (seen) => recordExchange(idp, seen, launders) });
  const stage: Stage = { t, collectorUrl, issuer, running: [idp], audiences: {} };
  let last = '';
  const books = await serve(stage, BOOKS, ownScope ?? PAY_INVOICE, async (_behalf, token) => {
    last = token;
  });
  const payments = await serve(stage, PAYMENTS, PAY_INVOICE, async (behalf, token) => {
    const next =
      ownScope === undefined
        ? await exchanged(stage, PAYMENTS, BOOKS, behalf, token)
        : await ownToken(issuer, PAYMENTS, BOOKS, ownScope);
    await call(behalf, books, BOOKS, next);
  });
  const planner = await serve(stage, PLANNER, PAY_INVOICE, async (behalf, token) =>
    call(behalf, payments, PAYMENTS, await exchanged(stage, PLANNER, PAYMENTS, behalf, token)),
  );
  const gateway = await serve(stage, GATEWAY, PAY_INVOICE, async (behalf, token) =>
    call(behalf, planner, PLANNER, await exchanged(stage, GATEWAY, PLANNER, behalf, token)),
  );
  const token = await signIn({ issuer, password: PASSWORD, scopes: [PAY_INVOICE] });
  const answer = await fetch(`${gateway}/act`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200, await answer.text());
  if (replayFrom !== undefined) await replay(`${books}/act`, last, replayFrom);
  for (const behalf of stage.running) await behalf.shutdown();
  await api.projection.caughtUp((await api.ledger.publish()).size);
  const { chains } = await api.get<ChainsAnswer>('/api/v1/chains');
  const full = await Promise.all(
    chains.map(async ({ id }) => (await api.get<ChainAnswer>(`/api/v1/chains/${id}`)).chain),
  );
  const main = full.find(({ services }) => services.includes('gateway')) ?? assert.fail('no chain through the gateway');
  const radius = (party: string) => api.get<BlastRadiusAnswer>(`/api/v1/parties/${party}/blast-radius`);
  assert.deepEqual(api.alarms, []);
  return { chain: main, others: full.filter((each) => each !== main), radius };
}

interface Stage {
  readonly t: TestContext;
  readonly collectorUrl: string;
  readonly issuer: string;
  readonly running: Behalf[];
  readonly audiences: Record<string, string>; // by origin: where tokens may go
}

/** A service behind a real guard, with one route about one payee. */
async function serve(
  { t, collectorUrl, issuer, running, audiences }: Stage,
  { name, resource: audience }: DemoService,
  scope: string,
  act: (behalf: Behalf, token: string) => Promise<void>,
): Promise<string> {
  const behalf = startBehalf({ service: name, collectorUrl, audiences: { ...audiences } });
  running.push(behalf);
  const app = fastify();
  t.after(() => app.close());
  await app.register(behalf.guard, { issuer, audience });
  const isAboutPayee = name === PAYMENTS.name || name === BOOKS.name;
  const config = { behalf: { scopes: [scope], ...(isAboutPayee ? { resource: 'payee:7' } : {}) } };
  app.post('/act', { config }, async () => {
    await act(behalf, behalf.currentDelegation()?.bearerToken() ?? assert.fail('no delegation'));
    return {};
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  audiences[address] = audience;
  return address;
}

async function call(behalf: Behalf, url: string, { name }: DemoService, token: string): Promise<void> {
  const response = await behalf.fetch(`${url}/act`, {
    method: 'POST',
    behalf: { token, peerService: name },
  });
  assert.equal(response.status, 200, await response.text());
}

const exchanged = (
  { issuer }: Stage,
  from: DemoService,
  to: DemoService,
  behalf: Behalf,
  subjectToken: string,
): Promise<string> =>
  exchangeToken({
    issuer,
    client: from.name,
    secret: secretOf(from.name),
    subjectToken,
    audience: to.resource,
    fetch: (url, init) => behalf.fetch(url, { ...init, behalf: EXCHANGE_CALL }),
  });

/** RFC 6749 section 4.4. */
async function ownToken(
  issuer: string,
  { name }: DemoService,
  { resource }: DemoService,
  scope: string,
): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: name,
    client_secret: secretOf(name),
    resource,
    scope,
  });
  const response = await fetch(`${issuer}/token`, { method: 'POST', body });
  const { access_token } = (await response.json()) as { readonly access_token?: string };
  return access_token ?? assert.fail(`no token: ${response.status}`);
}

/** From another address, and with nothing of the trace. */
const replay = (url: string, token: string, localAddress: string): Promise<void> =>
  new Promise((done, failed) => {
    request(url, { method: 'POST', localAddress, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response
        .resume()
        .on('end', () => (response.statusCode === 200 ? done() : failed(new Error(`${response.statusCode}`))));
    })
      .on('error', failed)
      .end();
  });

/** The issuer’s own account, as the demo’s provider gives it; one that launders does not know whom it dropped. */
function recordExchange(idp: Behalf, seen: ExchangeSeen, launders: readonly string[]): void {
  const { issuer, tokenIn, tokenOut, requester, subject, scopesHeld, scopesGranted, decision, traceparent } = seen;
  const party = ({ name, profile }: DemoService) => ({ type: profile, issuer, id: name, basis: 'token' }) as const;
  const acting = launders.includes(requester.name) ? undefined : (seen.act ?? seen.actorsBefore);
  const actors = actorsOf(acting).flatMap(({ sub }) => SERVICES.filter(({ name }) => name === sub).map(party));
  idp.recordExchange({
    tokenIn,
    issuer,
    requester: party(requester),
    actors,
    decision,
    ...(tokenOut === undefined ? {} : { tokenOut }),
    ...(subject === undefined ? {} : { subject: { type: 'user', issuer, id: subject, basis: 'token' } }),
    ...(scopesHeld === undefined ? {} : { scopesHeld }),
    ...(scopesGranted === undefined ? {} : { scopesGranted }),
    ...(traceparent === undefined ? {} : { traceparent }),
  });
}
