import Type from 'typebox';
import { GAP_KINDS, GRADES, VERDICTS } from '#chains';
import { Decimal, Nullable, PartyRef, refTo } from './party.ts';

const Text = Type.String();
const Texts = Type.Array(Text);
const Verdict = Type.Enum([...VERDICTS]);
const Grade = Type.Enum([...GRADES]);
const closed = { additionalProperties: false };

export const Fact = Type.Object({ says: Text, entries: Type.Array(Decimal) }, { $id: 'Fact', ...closed });
const Facts = Type.Array(refTo('Fact'));

const ServiceRef = Type.Object(
  {
    name: Text,
    instance: Type.Optional(Text),
    reported: Type.Boolean({ description: 'false when only the other end speaks of it' }),
  },
  closed,
);
const Verification = Type.Object(
  {
    status: Type.Enum(['verified', 'failed', 'unverified', 'absent']),
    reason: Type.Optional(Text),
    keyId: Type.Optional(Text),
    by: Type.Optional(Text),
  },
  closed,
);
const Authority = Type.Object(
  {
    profile: Text,
    id: Type.Optional(Text),
    parentId: Type.Optional(Text),
    transaction: Type.Optional(Text),
    digest: Type.Optional(Text),
    issuer: Type.Optional(Text),
    audience: Type.Optional(Texts),
    client: Type.Optional(Text),
    scopes: Type.Optional(Texts),
    issuedAt: Type.Optional(Decimal),
    notBefore: Type.Optional(Decimal),
    expiresAt: Type.Optional(Decimal),
    binding: Type.Optional(Text),
    verification: Verification,
  },
  closed,
);
const Decision = Type.Object(
  { outcome: Type.Enum(['permit', 'deny']), policy: Type.Optional(Text), reason: Type.Optional(Text) },
  closed,
);

export const Hop = Type.Object(
  {
    id: Text,
    kind: Type.Enum(['crossing', 'local']),
    time: Decimal,
    from: Nullable(ServiceRef),
    to: Nullable(ServiceRef),
    protocol: Text,
    operation: Nullable(Text),
    resource: Nullable(Text),
    grade: Grade,
    rests: Facts,
    subject: Nullable(PartyRef),
    initiator: Nullable(PartyRef),
    actors: Type.Array(PartyRef),
    peer: Nullable(PartyRef),
    authority: Nullable(Authority),
    verification: Nullable(Verification),
    requiredScopes: Texts,
    decision: Nullable(Decision),
    outcome: Nullable(Type.Object({ status: Text, code: Type.Optional(Text) }, closed)),
    trace: Nullable(Type.Object({ traceId: Text, spanId: Text }, closed)),
    callerEntries: Type.Array(Decimal),
    calleeEntries: Type.Array(Decimal),
    disagreements: Facts,
    verdict: Verdict,
    reason: Text,
  },
  { $id: 'Hop', ...closed },
);

export const Finding = Type.Object(
  {
    rule: Text,
    title: Text,
    severity: Type.Enum(['notice', 'warning', 'critical']),
    verdict: Nullable(Verdict),
    hop: Nullable(Text),
    says: Text,
    facts: Facts,
    owasp: Texts,
    thresholds: Type.String({ description: 'the version of the thresholds the rule judged by' }),
  },
  { $id: 'Finding', ...closed },
);

export const Completeness = Type.Object(
  {
    complete: Type.Boolean(),
    bounded: Type.Boolean(),
    says: Text,
    oneSided: Type.Integer(),
    gaps: Type.Integer(),
  },
  { $id: 'Completeness', ...closed },
);

const Exchange = Type.Object(
  {
    id: Text,
    time: Decimal,
    leafIndex: Decimal,
    issuer: Nullable(Text),
    requester: Nullable(PartyRef),
    subject: Nullable(PartyRef),
    actors: Type.Array(PartyRef),
    tokenIn: Text,
    tokenOut: Nullable(Text),
    audience: Texts,
    scopesHeld: Nullable(Texts),
    scopesRequested: Nullable(Texts),
    scopesGranted: Nullable(Texts),
    decision: Decision,
  },
  closed,
);

export const Chain = Type.Object(
  {
    v: Type.Literal(1),
    id: Text,
    traceIds: Texts,
    transactions: Texts,
    from: Decimal,
    to: Decimal,
    subject: Nullable(PartyRef),
    actors: Type.Array(PartyRef),
    services: Texts,
    hops: Type.Array(refTo('Hop')),
    links: Type.Array(Type.Object({ from: Text, to: Text, grade: Grade, rests: Facts }, closed)),
    exchanges: Type.Array(Exchange),
    gaps: Type.Array(Type.Object({ kind: Type.Enum([...GAP_KINDS]), hop: Text, says: Text }, closed)),
    findings: Type.Array(refTo('Finding')),
    completeness: refTo('Completeness'),
    verdict: Verdict,
    reason: Text,
    entries: Type.Array(Decimal),
  },
  { $id: 'Chain', ...closed },
);

export const ChainSummary = Type.Object(
  {
    id: Text,
    from: Decimal,
    to: Decimal,
    subject: Nullable(PartyRef),
    actors: Type.Array(PartyRef),
    services: Texts,
    hops: Type.Integer(),
    verdict: Verdict,
    reason: Text,
    findings: Texts,
    completeness: refTo('Completeness'),
    traceIds: Texts,
  },
  { $id: 'ChainSummary', ...closed },
);
