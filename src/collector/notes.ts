import type { Anomaly, HopObservation } from '#observation';
import { RecentTexts } from './recent-texts.ts';
import { looksSecret, withoutSecrets } from './secret.ts';

type AbsenceReason = HopObservation['absent'][string];

const MAX_ANOMALIES = 32; // the schema's own bound
const MAX_ABSENT = 32;

/*
 * Names of services, routes and operations come again and again: short texts that were kept as they came are remembered,
 * as any text and as a path. What holds a secret or was changed in any way is not.
 */
const REMEMBERED_LENGTH = 64;
const plainTexts = new RecentTexts(8_192);
const plainPaths = new RecentTexts(8_192);

/** How much of a long text is looked at: more than is kept, so that a secret at the cut is seen for what it is. */
const SCANNED = 2;

/**
 * What is said of one observation beside its fields: what is missing and why, what was wrong with what came. Every text
 * that goes into an observation passes here. Details name fields and sizes, never values.
 */
export class Notes {
  // Most observations need neither.
  #absent: Map<string, AbsenceReason> | undefined;
  #anomalies: Map<string, Anomaly> | undefined;

  /** Notes that begin with what these hold; each goes on alone. */
  copy(): Notes {
    const copy = new Notes();
    if (this.#absent !== undefined) copy.#absent = new Map(this.#absent);
    if (this.#anomalies !== undefined) copy.#anomalies = new Map(this.#anomalies);
    return copy;
  }

  /** The first reason given for a field stands. */
  miss(field: string, reason: AbsenceReason): void {
    this.#absent ??= new Map();
    if (this.#absent.size < MAX_ABSENT && !this.#absent.has(field)) this.#absent.set(field.slice(0, 64), reason);
  }

  warn(code: string, detail: string): void {
    this.#note(`${code} ${detail}`, { code, detail: detail.slice(0, 512) });
  }

  /** An anomaly that the sender noticed itself. */
  keep(anomaly: Anomaly): void {
    this.#note(`${anomaly.code} ${anomaly.detail ?? ''}`, anomaly);
  }

  #note(key: string, anomaly: Anomaly): void {
    this.#anomalies ??= new Map();
    if (this.#anomalies.size < MAX_ANOMALIES) this.#anomalies.set(key, anomaly);
  }

  /** Sorted, so that the order in which attributes came does not show. */
  get anomalies(): Anomaly[] {
    return this.#anomalies === undefined ? [] : sortedByKey(this.#anomalies).map(([, anomaly]) => anomaly);
  }

  get absent(): Record<string, AbsenceReason> {
    return this.#absent === undefined ? {} : Object.fromEntries(sortedByKey(this.#absent));
  }

  /** An identifier: whole or not at all, because a shortened one may equal another's. */
  identifier(field: string, value: string | undefined, maxLength: number): string | undefined {
    if (value === undefined || value.length <= maxLength) return this.#clean(field, value);
    this.warn('too_long', `${field}: ${value.length} characters, at most ${maxLength}; left out whole`);
    this.miss(field, 'unverifiable');
    return undefined;
  }

  /** A description: cut at the limit, and said so. */
  description(field: string, value: string | undefined, maxLength: number): string | undefined {
    const clean = this.#clean(field, value?.slice(0, SCANNED * maxLength));
    if (clean === undefined || (clean.length <= maxLength && value?.length === clean.length)) return clean;
    this.warn('cut', `${field}: ${value?.length} characters, cut to ${maxLength}`);
    return wholeCharacters(clean.slice(0, maxLength));
  }

  /** A path, operation or name that a program made up: query, mail addresses and opaque segments are taken out. */
  path(field: string, value: string | undefined, maxLength: number): string | undefined {
    if (value === undefined || value === '') return undefined;
    if (value.length <= maxLength && plainPaths.has(value)) return value;
    const seen = value.slice(0, SCANNED * maxLength);
    const kept = withoutSecrets(seen);
    if (kept !== seen) this.warn('redacted', `${field}: query, mail address or opaque part left out`);
    const clean = this.#clean(field, kept);
    if (clean === value && plainTexts.has(value)) plainPaths.add(value);
    if (clean === undefined || (clean.length <= maxLength && seen === value)) return clean;
    this.warn('cut', `${field}: ${value.length} characters, cut to ${maxLength}`);
    return wholeCharacters(clean.slice(0, maxLength));
  }

  /** Drops what looks like a secret. PostgreSQL text and UTF-8 hold neither NUL nor lone surrogates: replaced, and said. */
  #clean(field: string, value: string | undefined): string | undefined {
    if (value === undefined || value === '') return undefined;
    if (plainTexts.has(value)) return value;
    if (looksSecret(value)) {
      this.warn('redacted', `${field}: looks like a credential; left out`);
      this.miss(field, 'redacted');
      return undefined;
    }
    const clean = value.toWellFormed().replaceAll('\0', '\ufffd');
    if (clean.includes('\ufffd')) this.warn('invalid_text', `${field}: holds characters that are not valid text`);
    else if (clean.length <= REMEMBERED_LENGTH) plainTexts.add(clean);
    return clean;
  }
}

const sortedByKey = <T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] =>
  map.size === 1 ? [...map] : [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));

/** Without the half of a character that a cut left over. */
const wholeCharacters = (text: string): string => (text.isWellFormed() ? text : text.slice(0, -1));
