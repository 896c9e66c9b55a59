import Type from 'typebox';
import { RULES, VERDICTS } from '#chains';
import { MOMENT_PATTERN } from '../moment.ts';

const Party = (what: string) =>
  Type.String({
    minLength: 1,
    maxLength: 4200,
    description: `${what}: a key (type|issuer|id, or a person's reference), issuer|id, or an id alone; compared exactly`,
  });
const Moment = (description: string) => Type.String({ pattern: MOMENT_PATTERN, description });

const period = {
  from: Type.Optional(Moment('the first moment, RFC 3339 such as 2026-11-01T00:00:00Z or unix nanoseconds')),
  to: Type.Optional(Moment('the moment before which it ends, RFC 3339 or unix nanoseconds')),
};
const paging = {
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'the `next` of the page before' })),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 200, description: 'a number of rows from 1 to 200, 50 when left out' }),
  ),
};
const closed = { additionalProperties: false };

const narrowing = {
  subject: Type.Optional(Party('whose authority is used')),
  actor: Type.Optional(Party('who acts')),
  service: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'a service by its exact name' })),
  resource: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'a resource by its exact name' })),
  scope: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'one scope' })),
  verdict: Type.Optional(Type.Enum([...VERDICTS], { description: `one of ${VERDICTS.join(', ')}` })),
  finding: Type.Optional(
    Type.Enum(
      RULES.map((rule) => rule.id),
      { description: `one of ${RULES.map((rule) => rule.id).join(', ')}` },
    ),
  ),
};

export const ListParameters = Type.Object({ ...narrowing, ...period, ...paging }, closed);
export type ListParameters = Type.Static<typeof ListParameters>;

export const FindingParameters = Type.Object(
  {
    finding: narrowing.finding,
    severity: Type.Optional(
      Type.Enum(['notice', 'warning', 'critical'], { description: 'one of notice, warning, critical' }),
    ),
    ...period,
    ...paging,
  },
  closed,
);
export type FindingParameters = Type.Static<typeof FindingParameters>;

const { cursor, limit } = paging;
export const PartiesParameters = Type.Object(
  {
    party: Type.Optional(Party('one party')),
    type: Type.Optional(
      Type.Enum(['service', 'ai_agent', 'device'], { description: 'one of service, ai_agent, device' }),
    ),
    silentSince: Type.Optional(Moment('only those not seen since, RFC 3339 or unix nanoseconds')),
    cursor,
    limit,
  },
  closed,
);
export type PartiesParameters = Type.Static<typeof PartiesParameters>;

export const BlastRadiusParameters = Type.Object(
  {
    kind: Type.Optional(
      Type.Enum(['party', 'token', 'service', 'resource'], {
        description: 'what the key names: one of party, token, service, resource; party when left out',
      }),
    ),
    direction: Type.Optional(
      Type.Enum(['forward', 'backward'], { description: 'one of forward, backward; forward when left out' }),
    ),
    ...period,
  },
  closed,
);
export type BlastRadiusParameters = Type.Static<typeof BlastRadiusParameters>;
export const OriginKey = Type.Object(
  {
    key: Type.String({
      minLength: 1,
      maxLength: 1_000,
      description: 'a party as in filters, the SHA-256 of a token in hex, or the name of a service or resource',
    }),
  },
  closed,
);
export type OriginKey = Type.Static<typeof OriginKey>;

export const NoParameters = Type.Object({}, closed);

export const ChainId = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      maxLength: 600,
      description: 'a chain id, a trace id of 32 hex digits, a transaction id, or the id of an observation in it',
    }),
  },
  closed,
);
export const AsOf = Type.Object(
  {
    asOf: Type.Optional(
      Moment(
        'as it was known then: a tree size of up to 15 digits, or a moment, RFC 3339 or unix nanoseconds, which means the last checkpoint published by then',
      ),
    ),
  },
  closed,
);
export type AsOf = Type.Static<typeof AsOf>;
export const EntryIndex = Type.Object(
  { index: Type.String({ pattern: '^(0|[1-9][0-9]{0,18})$', description: 'a leaf index in decimal' }) },
  closed,
);
