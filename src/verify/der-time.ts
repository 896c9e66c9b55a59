import { DER, type DerValue } from './der.ts';
import { malformed } from './verification-error.ts';

const UTC = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d{0,8}[1-9])?Z$/;

/**
 * A UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 and RFC 3161 section 2.4.2 write it, in POSIX seconds, fractions cut
 * off. Throws VerificationError `malformed`.
 */
export function secondsOf(value: DerValue | undefined): bigint {
  const text = new TextDecoder('latin1').decode(value?.content ?? new Uint8Array(0));
  const isUtc = value?.tag === DER.utcTime;
  if (!isUtc && value?.tag !== DER.generalizedTime) malformed('time: expected UTCTime or GeneralizedTime');
  const [, year = '', ...rest] =
    (isUtc ? UTC : GENERALIZED).exec(text) ?? malformed('time: expected whole seconds in UTC');
  const full = isUtc ? `${Number(year) < 50 ? '20' : '19'}${year}` : year;
  const [month, day, hour, minute, second] = rest;
  const instant = `${full}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(instant);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== instant)
    malformed('time: expected a day and time there is');
  return BigInt(time.getTime() / 1000);
}
