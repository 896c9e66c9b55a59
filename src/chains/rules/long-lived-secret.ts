import { at, credentialOf, firstOfEach, type Rule, seconds, short } from './rule.ts';

/** A machine presents a credential that lives longer than any should. */
export const longLivedSecret: Rule = {
  id: 'long_lived_secret',
  title: 'Long-lived credential',
  meaning:
    'A machine presented a credential that holds for longer than the longest lifetime allowed, or that never ends and is older than that.',
  clears: 'Credentials of machines are short-lived and renewed.',
  wrong: 'Issue and expiry are the credential’s own claims; a person’s own token is not judged by it.',
  severity: 'warning',
  verdict: null,
  owasp: ['NHI7:2025'],
  judge: (evidence) =>
    firstOfEach(evidence.hops, (hop) => credentialOf(evidence, hop)?.authority?.digest).flatMap((hop) => {
      const entry = credentialOf(evidence, hop);
      const { issuedAt, expiresAt, digest = '' } = entry?.authority ?? {};
      const isPersonsOwn = entry?.subject?.type === 'user' && entry.actors.length === 0;
      if (issuedAt === undefined || isPersonsOwn) return [];
      const end = expiresAt ?? entry?.time ?? hop.time;
      if (Number(end) - Number(issuedAt) < evidence.thresholds.longestLifetimeHours * HOUR) return []; // most by far
      const until = BigInt(end);
      const hours = (until - BigInt(issuedAt)) / seconds(3600);
      if (hours <= BigInt(evidence.thresholds.longestLifetimeHours)) return [];
      const how = expiresAt === undefined ? `is ${hours} hours old and never expires` : `holds for ${hours} hours`;
      return [
        at(hop, `token ${short(digest)} ${how}; at most ${evidence.thresholds.longestLifetimeHours} are allowed`),
      ];
    }),
};

/** Nanoseconds; to some hundred of them, which is all that a 64-bit float tells of a time. */
const HOUR = 3.6e12;
