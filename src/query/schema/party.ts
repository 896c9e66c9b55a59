import Type from 'typebox';
import { PartyType } from '#observation';
import type { PartyView } from '../answers.ts';

export const Decimal = Type.String({ pattern: '^[0-9]{1,20}$' });
export const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Schemas other schemas refer to; they become the components of the OpenAPI document. */
export const Party = Type.Object(
  {
    key: Type.String({ description: 'names the party exactly: type|issuer|id, or a reference for a person' }),
    type: PartyType,
    issuer: Nullable(Type.String()),
    basis: Type.Enum(['proof', 'token', 'assertion', 'header', 'attribute', 'resource', 'unverified']),
    id: Nullable(Type.String({ description: 'null when the person was erased' })),
  },
  { $id: 'Party', additionalProperties: false },
);

/** A reference to a shared schema, as fastify resolves it. */
export const refTo = <T>(id: string) => Type.Unsafe<T>({ $ref: `${id}#` });
export const PartyRef = refTo<PartyView>('Party');

export const LogPosition = Type.Object(
  {
    origin: Type.String(),
    treeSize: Type.String({ description: 'entries this answer takes account of' }),
    published: Type.String({ description: 'entries under the last signed checkpoint' }),
  },
  { $id: 'LogPosition', additionalProperties: false },
);
