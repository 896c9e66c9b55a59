import type { Anomalies } from './anomalies.ts';
import { NO_AUTHORITY } from './authority.ts';
import { findCredential } from './credential.ts';
import { checkDpop } from './dpop.ts';
import type { GuardRules } from './guard-rules.ts';
import type { InboundRequest } from './inbound-request.ts';
import type { Party } from './party.ts';
import { findPeer, type Peer } from './peer.ts';
import type { RefusalCode } from './refusal.ts';
import { unverifiedClaims } from './token-claims.ts';
import {
  readToken,
  refuseReading,
  type TokenReading,
  type TokenRules,
  verifyToken,
  withBasis,
} from './verify-token.ts';
import { readWorkload } from './workload-identity.ts';

/** Who asks, on whose behalf, by which authority: of one request. */
export interface Identity extends TokenReading {
  /** What the transport, or a workload's own token beside the authority, says of the caller. */
  readonly peer?: Party;
  /** What was verified: to be forwarded or exchanged. */
  readonly token?: string;
}

export const NOBODY: Identity = { actors: [], authority: NO_AUTHORITY };

interface Asking {
  readonly request: InboundRequest;
  readonly rules: GuardRules;
  readonly anomalies: Anomalies;
  readonly peer: Peer | undefined;
}

/**
 * Reads and checks every credential of a request that the guard accepts, at once when there is nothing new to verify. Each
 * one that came must hold. The authority is the Txn-Token, else the bearer token, else what the edge asserts,
 * else the workload itself.
 */
export function identify(
  request: InboundRequest,
  rules: GuardRules,
  anomalies: Anomalies,
): Identity | Promise<Identity> {
  const peer = rules.peers && findPeer(request, rules.peers, anomalies);
  const asking = { request, rules, anomalies, peer };
  const authorization = readAuthorization(asking);
  const isPlain =
    rules.txn === undefined && rules.edge.length === 0 && rules.workload === undefined && peer === undefined;
  return isPlain ? authorization : combine(asking, authorization);
}

async function combine(asking: Asking, pending: Identity | Promise<Identity>): Promise<Identity> {
  const authorization = await pending;
  const txn = await readTxnToken(asking);
  const edge = await readEdge(asking);
  const { request, rules, anomalies } = asking;
  const workload = rules.workload && (await readWorkload(request, rules.workload, anomalies));
  const isPeer = authorization.authority.profile === 'jwt-svid' && (txn ?? edge) !== undefined;
  const alone = isNobody(authorization) ? (edge ?? workload) : undefined;
  const chosen = txn ?? (isPeer ? edge : undefined) ?? alone ?? authorization;
  const all = [authorization, txn, edge, workload];
  const refused = all.find((each) => each?.refused !== undefined && !isNobody(each))?.refused;
  const beside = chosen === workload ? undefined : workload;
  const party = peerAmong({ svid: isPeer ? authorization : undefined, workload: beside }, asking);
  const held = refused === undefined || chosen.refused !== undefined ? chosen : refuseReading(chosen, refused);
  return { ...held, ...(party && { peer: party }) };
}

/** What a header says of the caller never stands before what the connection itself proved. */
function peerAmong(
  { svid, workload }: { svid: Identity | undefined; workload: Identity | undefined },
  { peer, anomalies }: Asking,
): Party | undefined {
  const told = [workload, svid].find((each) => each !== undefined && each.refused === undefined)?.subject;
  const { party } = peer ?? {};
  if (told === undefined || party === undefined) return told ?? party;
  if (told.id !== party.id) anomalies.add('peer_differs', 'a workload token and the transport name different callers');
  return party.basis === 'proof' ? party : told;
}

const isNobody = ({ authority }: Identity): boolean => authority.verification.status === 'absent';

function readAuthorization(asking: Asking): Identity | Promise<Identity> {
  const { request, rules, anomalies } = asking;
  const credential = findCredential(request);
  if (credential.kind === 'none') return { ...NOBODY, refused: 'token_missing' };
  if (credential.kind === 'refused') return refusedUnread(credential.code, credential.token, asking);
  const { token, scheme } = credential;
  const kind = rulesFor(token, rules);
  const isServed = scheme === 'bearer' || rules.dpop !== undefined;
  if (kind === undefined || !isServed) return refusedUnread('scheme_unsupported', token, asking);
  const reading = verifyToken(token, kind, anomalies);
  if (reading instanceof Promise) return reading.then((read) => bind(read, { token, scheme, asking }));
  return bind(reading, { token, scheme, asking });
}

/** A token whose subject is a SPIFFE ID is a JWT-SVID, unless it names the issuer of access tokens. Nothing is trusted by that. */
function rulesFor(token: string, { bearer, svid }: GuardRules): TokenRules | undefined {
  if (svid === undefined) return bearer;
  const { sub, iss } = unverifiedClaims(token) ?? {};
  const isSvid =
    typeof sub === 'string' && sub.startsWith('spiffe://') && (bearer === undefined || iss !== bearer.issuer);
  return isSvid ? svid : bearer;
}

/** A token that names a key is no bearer token: its proof must be there (RFC 9449 section 7.2, RFC 8705 section 3). */
function bind(
  reading: TokenReading,
  { token, scheme, asking }: { token: string; scheme: 'bearer' | 'dpop'; asking: Asking },
): Identity | Promise<Identity> {
  const { bound, refused } = reading;
  if (refused !== undefined) return reading;
  if (scheme === 'dpop') return bindToProof(reading, token, asking);
  if (bound === undefined) return { ...reading, token };
  if (bound.kind === 'x5t' && asking.peer?.thumbprint === bound.thumbprint) return proven(reading, 'mtls', token);
  return refuseReading(reading, 'proof_missing');
}

async function bindToProof(reading: TokenReading, token: string, { request, rules }: Asking): Promise<Identity> {
  const { bound } = reading;
  if (rules.dpop === undefined) return refuseReading(reading, 'scheme_unsupported');
  const thumbprint = bound?.kind === 'jkt' ? bound.thumbprint : undefined;
  const refused = await checkDpop(request, rules.dpop, { token, thumbprint });
  return refused === undefined ? proven(reading, 'dpop', token) : refuseReading(reading, refused);
}

const proven = (reading: TokenReading, binding: 'dpop' | 'mtls', token: string): Identity => ({
  ...withBasis(reading, 'proof'),
  authority: { ...reading.authority, binding },
  token,
});

async function readTxnToken({ request, rules, anomalies }: Asking): Promise<Identity | undefined> {
  const [token, ...more] = rules.txn === undefined ? [] : request.all('txn-token');
  if (rules.txn === undefined || token === undefined) return undefined;
  const reading = await verifyToken(token, rules.txn, anomalies);
  if (more.length > 0) return refuseReading(reading, 'token_repeated');
  return reading.refused === undefined ? { ...reading, token } : reading;
}

/** Two edges in a row may both assert; the first that is configured is read. */
async function readEdge({ request, rules, anomalies }: Asking): Promise<Identity | undefined> {
  for (const { header, verify } of rules.edge) {
    const [assertion, ...more] = request.all(header);
    if (assertion === undefined) continue;
    const reading = await verify(assertion, anomalies);
    if (more.length > 0) return refuseReading(reading, 'token_repeated');
    return reading.refused === undefined ? { ...reading, token: assertion } : reading;
  }
  return undefined;
}

/** A credential nobody looked at closely is evidence all the same. */
function refusedUnread(code: RefusalCode, token: string | undefined, { rules, anomalies }: Asking): Identity {
  const verification = { status: 'failed', reason: code, by: rules.by } as const;
  if (token === undefined) return { actors: [], authority: { profile: 'unreadable', verification }, refused: code };
  const { actProblem: _, ...reading } = readToken(token, { ...rules, verification, anomalies });
  return { ...reading, refused: code };
}
