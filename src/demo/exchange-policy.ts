import { errors } from 'oidc-provider';
import { type Act, depthOf, MAX_DEPTH } from './delegation.ts';
import { ACCESS_TOKEN_TYPE } from './grant-type.ts';
import type { DemoService } from './parties.ts';

/** RFC 8693 section 2.1. */
export const EXCHANGE_PARAMETERS: readonly string[] = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
  'resource',
  'scope',
];
const SUBJECT_TOKEN_TYPES = [ACCESS_TOKEN_TYPE, 'urn:ietf:params:oauth:token-type:jwt'];

type Parameters = Readonly<Record<string, unknown>>;

/** A subject token that was verified. */
export interface SubjectToken {
  readonly subject: string;
  readonly grantId: string; // what the user consented to
  readonly scopes: readonly string[];
  readonly expiresAt: number; // unix seconds
  readonly act: Act | undefined;
}

/** RFC 8693 section 2.1. An actor token is not taken: the client authentication says who asks. */
export function subjectTokenIn(params: Parameters): string {
  const { subject_token: text, subject_token_type: type, requested_token_type: wanted = ACCESS_TOKEN_TYPE } = params;
  if (typeof text !== 'string' || text === '') throw new errors.InvalidRequest('subject_token is missing');
  if (!SUBJECT_TOKEN_TYPES.includes(String(type)))
    throw new errors.InvalidRequest('subject_token_type: expected an access token');
  if (wanted !== ACCESS_TOKEN_TYPE)
    throw new errors.InvalidRequest('requested_token_type: only access tokens are issued');
  if (params.actor_token !== undefined || params.actor_token_type !== undefined)
    throw new errors.InvalidRequest('actor_token is not supported: the client itself is the actor');
  return text;
}

/** RFC 8707: exactly one target, among those the requester may call. */
export function targetIn(params: Parameters, requester: DemoService): string {
  const [target, ...others] = new Set([params.resource, params.audience].filter((each) => each !== undefined));
  if (typeof target === 'string' && others.length === 0 && requester.calls.includes(target)) return target;
  throw new errors.InvalidTarget(`${requester.name} may not get tokens for this audience`);
}

/** Never more than the subject token holds; all of it when nothing is asked for. */
export function narrow(params: Parameters, held: SubjectToken): readonly string[] {
  const asked = typeof params.scope === 'string' ? splitScopes(params.scope) : held.scopes;
  const wider = asked.filter((scope) => !held.scopes.includes(scope));
  if (wider.length > 0)
    throw new errors.InvalidScope(
      `the subject token holds ${held.scopes.join(' ') || 'no scopes'}, not ${wider.join(' ')}`,
      wider.join(' '),
    );
  return asked;
}

/** The requester on top of who acted before it (section 4.1). */
export function nest(requester: DemoService, before: Act | undefined, iss: string): Act {
  if (depthOf(before) >= MAX_DEPTH)
    throw new errors.InvalidRequest(`delegation is nested deeper than ${MAX_DEPTH} actors`);
  return { iss, sub: requester.name, sub_profile: requester.profile, ...(before === undefined ? {} : { act: before }) };
}

/** Section 4.2: scopes are delimited by spaces. */
export const splitScopes = (scopes: string): string[] => scopes.split(' ').filter((scope) => scope !== '');
