import Type from 'typebox';
import { GRADES } from '#chains';
import { Decimal, Nullable, PartyRef, refTo } from './party.ts';

const closed = { additionalProperties: false };
const Text = Type.String();
const Texts = Type.Array(Text);

const Step = Type.Object(
  { chain: Text, hop: Text, time: Decimal, says: Text, grade: Nullable(Type.Enum([...GRADES])) },
  closed,
);
const reached = <T extends Type.TSchema>(what: T) =>
  Type.Object(
    {
      what,
      hops: Type.Integer({ description: 'in which it was reached' }),
      path: Type.Array(Step, { description: 'the shortest way there, from the origin on' }),
      checkedBy: Nullable(
        Type.String({ description: 'the first boundary on the way that verified the token and enforced a scope' }),
      ),
      wouldHaveStopped: Text,
    },
    closed,
  );

export const BlastRadiusAnswer = Type.Object(
  {
    origin: Type.Object({ kind: Type.Enum(['party', 'token', 'service', 'resource']), key: Text }, closed),
    direction: Type.Enum(['forward', 'backward']),
    actual: Type.Object(
      {
        chains: Type.Integer(),
        hops: Type.Integer(),
        services: Type.Array(reached(Text)),
        resources: Type.Array(reached(Text)),
        parties: Type.Array(reached(PartyRef)),
        stopped: Type.Array(Type.Object({ chain: Text, hop: Text, time: Decimal, says: Text }, closed)),
        scopes: Texts,
        from: Type.Array(Text, { description: 'services it acted from' }),
        at: Type.Array(Text, { description: 'services it was received at' }),
      },
      closed,
    ),
    possible: Nullable(
      Type.Object(
        {
          reached: Type.Array(Type.Object({ service: Text, resources: Texts, path: Texts, why: Text }, closed)),
          stopped: Type.Array(Type.Object({ from: Text, to: Text, says: Text }, closed)),
        },
        closed,
      ),
    ),
    possibleSources: Nullable(
      Type.Object(
        {
          sources: Type.Array(
            Type.Object({ service: Text, parties: Type.Array(PartyRef), path: Texts, why: Text }, closed),
            {
              description: 'backwards: from where it could have come over observed use, and who was seen acting there',
            },
          ),
          stopped: Type.Array(Type.Object({ from: Text, to: Text, says: Text }, closed)),
          complete: Type.Boolean({ description: 'false when not all of the observed use was followed' }),
        },
        closed,
      ),
    ),
    boundaryGaps: Type.Array(
      Type.Object({ chain: Text, hops: Texts, after: Nullable(Text), until: Texts, says: Text }, closed),
    ),
    completeness: Type.Object({ bounded: Type.Boolean(), says: Text }, closed),
    log: refTo('LogPosition'),
  },
  closed,
);

export const PartiesAnswer = Type.Object(
  {
    parties: Type.Array(
      Type.Object(
        {
          key: Text,
          type: Text,
          issuer: Nullable(Text),
          id: Nullable(Text),
          firstSeen: Decimal,
          lastSeen: Decimal,
          days: Type.Integer({ description: 'on which it was seen' }),
          onBehalfOf: Type.Array(Text, { description: 'keys of those who delegated to it, the last first' }),
          services: Type.Array(Text, { description: 'that act under this identity' }),
          targets: Type.Array(Text, { description: 'services it called' }),
          hosts: Texts,
          tools: Texts,
          scopesHeld: Texts,
          scopesUsed: Type.Array(Text, { description: 'that some boundary required of it and let pass' }),
          scopesUnused: Texts,
          credentials: Type.Array(Text, {
            description: 'SHA-256 of credentials it holds for longer than a day, never the credential',
          }),
          keys: Type.Array(Text, { description: 'ids of the keys its tokens are signed with' }),
          sharedCredentials: Type.Array(Type.Object({ digest: Text, parties: Texts, workloads: Texts }, closed), {
            description: 'which of its credentials others present too, and who',
          }),
          revokedAt: Nullable(Decimal),
        },
        closed,
      ),
    ),
    next: Nullable(Type.String({ description: 'the cursor of the next page' })),
    log: refTo('LogPosition'),
  },
  closed,
);
