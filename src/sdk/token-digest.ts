import { createHash } from 'node:crypto';

/** SHA-256 over the token's exact bytes as 64 lower-case hex digits: the one form in which a token leaves the process. */
export const tokenDigest = (token: string): string => createHash('sha256').update(token, 'utf8').digest('hex');
