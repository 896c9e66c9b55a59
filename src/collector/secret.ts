import { RecentTexts } from './recent-texts.ts';

/** Names of what carries credentials. */
const CARRIERS =
  '[\\w-]*(?:token|secret|passw(?:or)?d|api[-_]?key|access[-_]?key|private[-_]?key|session[-_]?id|sessid|credential|signature)|authorization|code|state|nonce|sid|sig|assertion|saml(?:response|request)|jwt|cookie';

/**
 * Text that looks like a credential. Wide on purpose: a field too many left out is named in the entry's `absent`, a token
 * in an append-only ledger stays for ever. Hostile text is matched against these: each takes time linear in it.
 */
const SECRETS: readonly RegExp[] = [
  // JWS and JWE compact form: a base64url JSON object, then a dot; or the beginning of a long one.
  /\beyJ[A-Za-z0-9_-]{6,40}[A-Za-z0-9_.-]/,
  // An authorization scheme before something that is no plain word.
  /\b(?:[Bb]earer|BEARER|[Bb]asic|BASIC|DPoP|dpop|[Nn]egotiate|[Tt]oken)\s+(?=\S{0,60}(?:[0-9=_~+/]|[a-z][A-Z]))[A-Za-z0-9+/_.~=-]{8,}/,
  /-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)/,
  // Forms that issuers document for their own keys and tokens.
  /\b(?:sk|pk|rk)[-_](?=[A-Za-z0-9_-]{0,40}[0-9])[A-Za-z0-9_-]{16,}/,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|xapp-|npm_|pypi-|hvs\.|hvb\.|dop_v1_|shp(?:at|ss|ca|pa)_|whsec_|ya29\.|1\/\/0)[A-Za-z0-9_.-]{8,}/,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\bAIza[0-9A-Za-z_-]{30,}/,
  /\bSG\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  // name=value in queries, forms and cookies; "name":"value"; header: value.
  new RegExp(`(?:^|[^\\w-])(?:${CARRIERS})=[^\\s"'&;,]{4,}`, 'i'),
  new RegExp(`["'](?:${CARRIERS})["']\\s*:\\s*["'][^"']{4,}`, 'i'),
  /\b(?:(?:proxy-)?authorization|(?:set-)?cookie|x-api-key)["']?\s*:\s*\S/i,
  // user:password@host
  /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^/\s:@]{1,100}:[^/\s@]{1,100}@/i,
];

/** True when a text holds what looks like a token, key, password, cookie, authorization code or session. */
export function looksSecret(text: string): boolean {
  if (text.length < SHORTEST || harmless.has(text)) return false;
  if (SECRETS.some((pattern) => pattern.test(text))) return true;
  if (text.length <= REMEMBERED_LENGTH) harmless.add(text);
  return false;
}

/** No pattern matches less than this: `sid=abcd`, `cookie:x` and `a://b:c@` are the shortest. */
const SHORTEST = 8;

/** Names of services, routes and operations come again and again; texts that look like a secret are never kept. */
const REMEMBERED_LENGTH = 64;
const harmless = new RecentTexts(8_192);

/** What stands in for what was left out of a longer text. */
export const REDACTED = '[redacted]';

const SECRET_NAMED =
  /^(?:[\w-]*(?:token|secret|password|passwd|session|sessions|api-?key|credential)s?|code|sid|magic|magic-link|reset|verify|invite|invitation|otp)$/i;

/**
 * A path, operation or span name without what must not stand in clear in a ledger: query and fragment, mail addresses,
 * path segments that are opaque or that follow a segment such as `token`. Route templates are kept.
 */
export function withoutSecrets(text: string): string {
  const plain = /[?#@%]/.test(text) ? withoutQuery(text).replace(/[^\s/?#"'<>]+/g, hideMailAddress) : text;
  if (!plain.includes('/')) return plain;
  const segments = plain.split('/');
  if (!segments.some((segment, i) => i > 0 && hidesSecret(segment, segments[i - 1] ?? ''))) return plain;
  return segments
    .map((segment, i) => (i > 0 && hidesSecret(segment, segments[i - 1] ?? '') ? REDACTED : segment))
    .join('/');
}

const withoutQuery = (text: string): string => text.replace(/\?\S*|(?<=\/[^\s#]*)#\S*/g, '');

/** A part between delimiters that holds a mail address, written plainly or percent-encoded, is left out whole. */
function hideMailAddress(part: string): string {
  const at = part.search(/@|%40/);
  return at > 0 && part.indexOf('.', at) > at + 1 ? REDACTED : part;
}

function hidesSecret(segment: string, before: string): boolean {
  if (segment.length < 6 || /^(?:$|[{<:*]|\[redacted\])/.test(segment)) return false;
  if (looksSecret(segment)) return true;
  return isOpaque(segment) || (SECRET_NAMED.test(before) && /[0-9]/.test(segment) && segment.length >= 6);
}

/** Long and mixed: letters of both cases and digits, no words. Identifiers such as UUIDs and digests are of one case. */
const isOpaque = (segment: string): boolean =>
  segment.length >= 24 &&
  /^[A-Za-z0-9_~.=%-]+$/.test(segment) &&
  /[a-z]/.test(segment) &&
  /[A-Z]/.test(segment) &&
  (segment.match(/[0-9]/g)?.length ?? 0) >= 3;
