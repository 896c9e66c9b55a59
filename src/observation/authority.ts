import Type, { type Static } from 'typebox';
import { Text } from './party.ts';

/** 64-bit times are decimal strings of nanoseconds since the Unix epoch: JSON numbers cannot hold them (RFC 8785). */
export const UnixNano = Type.String({ pattern: '^(0|[1-9][0-9]{0,19})$' });

/** SHA-256 of the exact bytes of a token as 64 lower-case hex digits. Never the token. */
export const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

export const Scopes = Type.Array(Text(256), { maxItems: 256 });

/**
 * `verified`: signature, issuer, audience and time were checked; `failed`: a check failed (see reason);
 * `unverified`: a credential was seen and nobody checked it; `absent`: no credential came.
 */
export const VerificationStatus = Type.Enum(['verified', 'failed', 'unverified', 'absent']);
export type VerificationStatus = Static<typeof VerificationStatus>;

export const Verification = Type.Object(
  {
    status: VerificationStatus,
    reason: Type.Optional(Text(512)),
    keyId: Type.Optional(Text(512)),
    by: Type.Optional(Text(256)),
  },
  { additionalProperties: false },
);
export type Verification = Static<typeof Verification>;

/** The grant used on a hop: a token's claims from an allow-list, its digest, and how it was verified. */
export const Authority = Type.Object(
  {
    profile: Text(64),
    id: Type.Optional(Text(512)),
    parentId: Type.Optional(Text(512)),
    transaction: Type.Optional(Text(512)),
    digest: Type.Optional(Digest),
    issuer: Type.Optional(Text(2048)),
    audience: Type.Optional(Type.Array(Text(2048), { maxItems: 32 })),
    client: Type.Optional(Text(512)),
    scopes: Type.Optional(Scopes),
    issuedAt: Type.Optional(UnixNano),
    notBefore: Type.Optional(UnixNano),
    expiresAt: Type.Optional(UnixNano),
    binding: Type.Optional(Type.Enum(['bearer', 'dpop', 'mtls', 'wpt', 'httpsig'])),
    verification: Verification,
  },
  { additionalProperties: false },
);
export type Authority = Static<typeof Authority>;
