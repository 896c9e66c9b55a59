import Type from 'typebox';
import { PROBLEMS } from '../problem.ts';
import { Chain, ChainSummary, Completeness, Fact, Finding, Hop } from './chain.ts';
import { Decimal, LogPosition, Nullable, Party, refTo } from './party.ts';

const closed = { additionalProperties: false };
const listed = {
  next: Nullable(Type.String({ description: 'the cursor of the next page' })),
  log: refTo('LogPosition'),
};

export const ProblemDetails = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.Enum(Object.keys(PROBLEMS)),
    detail: Type.String(),
  },
  { $id: 'Problem', description: 'RFC 9457', additionalProperties: false },
);

/** Every schema with a name, added once to the instance. */
export const SHARED = [
  Party,
  LogPosition,
  Fact,
  Completeness,
  Finding,
  Hop,
  Chain,
  ChainSummary,
  ProblemDetails,
] as const;

export const ChainAnswer = Type.Object({ chain: refTo('Chain'), log: refTo('LogPosition') }, closed);
export const ChainsAnswer = Type.Object({ chains: Type.Array(refTo('ChainSummary')), ...listed }, closed);
export const HopsAnswer = Type.Object(
  { hops: Type.Array(Type.Object({ chain: Type.String(), hop: refTo('Hop') }, closed)), ...listed },
  closed,
);
export const FindingsAnswer = Type.Object(
  {
    findings: Type.Array(Type.Object({ chain: Type.String(), time: Decimal, finding: refTo('Finding') }, closed)),
    ...listed,
  },
  closed,
);
export const LogAnswer = Type.Object(
  { origin: Type.String(), verifierKey: Type.String(), size: Decimal, published: Decimal, projected: Decimal },
  closed,
);
export const HandOversAnswer = Type.Object(
  { handOvers: Type.Array(Type.Object({ leafIndex: Decimal, note: Type.String() }, closed)) },
  closed,
);
export const HealthAnswer = Type.Object({ status: Type.Literal('ok') }, closed);
export const ReadyAnswer = Type.Object(
  {
    ready: Type.Boolean(),
    database: Type.Enum(['answers', 'does not answer']),
    log: Nullable(Type.Object({ size: Decimal, published: Decimal }, closed)),
    projection: Type.Object(
      {
        size: Decimal,
        behind: Nullable(Decimal),
        unread: Nullable(Decimal),
        trouble: Nullable(Type.String()),
      },
      closed,
    ),
  },
  closed,
);

/** The problems a route may answer with, by status. */
export const problems = (...codes: readonly (keyof typeof PROBLEMS)[]) =>
  Object.fromEntries(
    codes.map((code) => [
      PROBLEMS[code].status,
      {
        description: PROBLEMS[code].title,
        content: { 'application/problem+json': { schema: refTo('Problem') } },
      },
    ]),
  );

/** An answer that is not JSON. */
export const raw = (type: string, description: string) => ({
  description,
  content: { [type]: { schema: { type: 'string', ...(type.startsWith('text/') ? {} : { contentMediaType: type }) } } },
});
