import type { NamedParty } from './exchange.ts';
import type { PartyType } from './party.ts';
import type { Policy, PolicyQuestion } from './policy.ts';

/** Cedar's engine: `import * as cedar from '@cedar-policy/cedar-wasm/nodejs'`. The program brings it, in a version it chooses. */
export interface Cedar {
  isAuthorized(call: CedarCall): unknown;
  checkParsePolicySet(policies: { readonly staticPolicies: string }): unknown;
}

export interface CedarOptions {
  readonly cedar: Cedar;
  /** Policies in Cedar's own text. */
  readonly policies: string;
  /** Entities beside the parties of the question, as Cedar has them in JSON; they stand before a party of the same name. */
  readonly entities?: readonly CedarEntity[];
  /** Which policies these are, in what is recorded; `cedar` by default. */
  readonly name?: string;
}

interface EntityName {
  readonly type: string;
  readonly id: string;
}

type CedarValue = string | { __entity: { type: string; id: string } } | CedarValue[];

export interface CedarEntity {
  readonly uid: EntityName;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly parents: readonly EntityName[];
}

interface CedarCall {
  principal: { type: string; id: string };
  action: { type: string; id: string };
  resource: { type: string; id: string };
  context: Record<string, CedarValue>;
  policies: { staticPolicies: string };
  entities: never[];
}

const TYPES: Readonly<Record<PartyType, string>> = {
  user: 'User',
  service: 'Service',
  ai_agent: 'AiAgent',
  device: 'Device',
  unknown: 'Unknown',
};

/**
 * Asks Cedar. The principal is the subject, `User::"issuer#id"` (`Service`, `AiAgent`, `Device`, `Unknown`; nothing before `#` where it
 * has no issuer), with the attributes `issuer`, `id` and `basis`; the action `Action::"operation"`; the resource
 * `Resource::"…"`, empty where the route names none. The context has `scopes`, `actors` (a set of parties), `actor` (the one
 * that acts now), `peer` and `purpose`. A policy that cannot be evaluated is no answer, which denies: Cedar itself would pass
 * over it, also where it forbids. Throws TypeError when the policies cannot be parsed.
 */
export function cedarPolicy({ cedar, policies, entities = [], name = 'cedar' }: CedarOptions): Policy {
  const parsed = cedar.checkParsePolicySet({ staticPolicies: policies });
  if (!isObject(parsed) || parsed.type !== 'success') throw new TypeError('cedarPolicy: policies cannot be parsed');
  return (question) => {
    const answer = cedar.isAuthorized({ ...callOf(question, entities), policies: { staticPolicies: policies } });
    const { decision, reasons } = readAnswer(answer);
    const reason = reasons.join(' ').slice(0, 256);
    return { outcome: decision === 'allow' ? 'permit' : 'deny', policy: name, ...(reason !== '' && { reason }) };
  };
}

function callOf(question: PolicyQuestion, more: readonly CedarEntity[]): Omit<CedarCall, 'policies'> {
  const { subject, actors, peer, scopes, operation, resource = '', purpose } = question;
  if (subject === undefined) throw new Error('the request has no subject for Cedar to ask about');
  const actor = actors.at(-1);
  const parties = [subject, ...actors, ...(peer ? [peer] : [])];
  return {
    principal: nameOf(subject),
    action: { type: 'Action', id: operation },
    resource: { type: 'Resource', id: resource },
    context: {
      scopes: [...scopes],
      actors: actors.map(reference),
      ...(actor && { actor: reference(actor) }),
      ...(peer && { peer: reference(peer) }),
      ...(purpose !== undefined && { purpose }),
    },
    entities: distinct([...more, ...parties.map(entityOf)]) as never[],
  };
}

/** An issuer is a URL without a fragment (RFC 8414 section 2): what stands before the first `#` is the issuer. */
const nameOf = ({ type, issuer = '', id }: NamedParty): EntityName => ({
  type: TYPES[type],
  id: `${issuer.replaceAll('#', '%23')}#${id}`,
});

const reference = (party: NamedParty): CedarValue => ({ __entity: nameOf(party) });

const entityOf = (party: NamedParty): CedarEntity => {
  const { issuer, id, basis = 'attribute' } = party;
  return { uid: nameOf(party), attrs: { id, basis, ...(issuer !== undefined && { issuer }) }, parents: [] };
};

/** Cedar takes no entity twice: the first stands. */
function distinct(entities: readonly CedarEntity[]): readonly CedarEntity[] {
  const found = new Map<string, CedarEntity>();
  for (const entity of entities) {
    const key = JSON.stringify([entity.uid.type, entity.uid.id]);
    if (!found.has(key)) found.set(key, entity);
  }
  return [...found.values()];
}

function readAnswer(answer: unknown): { readonly decision: unknown; readonly reasons: readonly unknown[] } {
  const response = isObject(answer) && answer.type === 'success' ? answer.response : undefined;
  if (!isObject(response) || !isObject(response.diagnostics)) throw new Error('Cedar could not evaluate the request');
  const { errors, reason } = response.diagnostics;
  if (!Array.isArray(errors) || errors.length > 0) throw new Error('a Cedar policy could not be evaluated');
  return { decision: response.decision, reasons: Array.isArray(reason) ? reason : [] };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
