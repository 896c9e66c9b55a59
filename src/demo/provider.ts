import { startBehalf } from '@behalf/sdk';
import { actorsOf, type ExchangeSeen } from './delegation.ts';
import { startProvider } from './identity-provider.ts';
import { type DemoService, SERVICES } from './parties.ts';
import { deliverAll, readOptions, readSecret, serveUntilStopped } from './service-process.ts';

const { collector } = readOptions(['collector']);
const behalf = startBehalf({ service: 'provider', collectorUrl: collector });
const { issuer, server } = await startProvider(JSON.parse(readSecret()), record);
serveUntilStopped(Number(new URL(issuer).port), async () => {
  await new Promise((closed) => server.close(closed).closeAllConnections());
  await deliverAll(behalf);
});

/** The issuer's account of an exchange: it verified the subject token itself and authenticated who asked. */
function record(seen: ExchangeSeen): void {
  const { tokenIn, issuer, act, actorsBefore, audience, scopesHeld, scopesRequested, scopesGranted } = seen;
  behalf.recordExchange({
    tokenIn,
    issuer,
    requester: party(seen.requester, issuer),
    decision: seen.decision,
    ...(seen.tokenOut === undefined ? {} : { tokenOut: seen.tokenOut }),
    ...(seen.traceparent === undefined ? {} : { traceparent: seen.traceparent }),
    ...(seen.subject === undefined
      ? {}
      : { subject: { type: 'user', issuer, id: seen.subject, basis: 'token' }, actors: actors(act ?? actorsBefore) }),
    ...(audience === undefined ? {} : { audience }),
    ...(scopesHeld === undefined ? {} : { scopesHeld }),
    ...(scopesRequested === undefined ? {} : { scopesRequested }),
    ...(scopesGranted === undefined ? {} : { scopesGranted }),
  });
}

const party = ({ name, profile }: DemoService, issuer: string) =>
  ({ type: profile, issuer, id: name, basis: 'token' }) as const;

const actors = (act: ExchangeSeen['act']) =>
  actorsOf(act).flatMap(({ sub, iss }) => {
    const service = SERVICES.find(({ name }) => name === sub);
    return service === undefined ? [] : [party(service, iss)];
  });
