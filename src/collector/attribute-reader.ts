import type { Anomaly, ClearParty, HopObservation } from '#observation';
import type { Notes } from './notes.ts';
import type { AnyValue, Attributes } from './otlp.ts';
import { textOf } from './reporter.ts';
import { given } from './vocabulary/reading.ts';

type AbsenceReason = HopObservation['absent'][string];

const PARTY_TYPES: readonly string[] = [
  'user',
  'service',
  'ai_agent',
  'device',
  'unknown',
] satisfies ClearParty['type'][];
const BASES: readonly string[] = [
  'proof',
  'token',
  'assertion',
  'header',
  'attribute',
  'resource',
  'unverified',
] satisfies ClearParty['basis'][];
const REASONS: readonly string[] = [
  'none_observed',
  'not_disclosed',
  'dropped_by_sdk',
  'unsampled',
  'redacted',
  'unverifiable',
] satisfies AbsenceReason[];

const MAX_ACTORS_TAKEN = 64;

/**
 * Reads the attributes of one of the SDK's log records into the observation's fields, each within the schema's limits.
 * What does not fit is left out and named in `notes`; nothing is shortened that somebody compares.
 */
export class AttributeReader {
  readonly #attributes: Attributes;
  readonly notes: Notes;

  constructor(attributes: Attributes, notes: Notes) {
    this.#attributes = attributes;
    this.notes = notes;
  }

  text(key: string): string | undefined {
    return textOf(this.#attributes, key);
  }

  identifier(key: string, field: string, maxLength: number): string | undefined {
    return this.notes.identifier(field, this.text(key), maxLength);
  }

  description(key: string, field: string, maxLength: number): string | undefined {
    return this.notes.description(field, this.text(key), maxLength);
  }

  path(key: string, field: string, maxLength: number): string | undefined {
    return this.notes.path(field, this.text(key), maxLength);
  }

  /** Decimal nanoseconds. */
  nanoseconds(key: string, field: string): string | undefined {
    const value = this.text(key);
    if (value === undefined || /^(0|[1-9][0-9]{0,19})$/.test(value)) return value;
    this.notes.warn('invalid_time', `${field}: expected decimal nanoseconds`);
    return undefined;
  }

  /** A list of identifiers; one that has to be left out is noted, and so is what is over the list's limit. */
  list(
    key: string,
    field: string,
    { maxItems, maxLength }: { maxItems: number; maxLength: number },
  ): string[] | undefined {
    const value = this.#attributes.get(key);
    if (value === undefined || value === null) return undefined;
    const values = Array.isArray(value) ? value : [value];
    if (values.length > maxItems) this.notes.warn('cut', `${field}: ${values.length} values, cut to ${maxItems}`);
    return values.slice(0, maxItems).flatMap((each: AnyValue) => {
      if (typeof each === 'string') return this.notes.identifier(field, each, maxLength) ?? [];
      this.notes.warn('invalid_value', `${field}: a value that is no text`);
      return [];
    });
  }

  party(key: string, field: string): ClearParty | undefined {
    const value = this.#attributes.get(key);
    return value === undefined || value === null ? undefined : this.#partyOf(value, field);
  }

  /** Actors, oldest first. One that cannot be read is left out and its place is noted: the chain says it is not whole. */
  parties(key: string, field: string): ClearParty[] {
    const value = this.#attributes.get(key);
    if (value === undefined || value === null) return [];
    const values: readonly AnyValue[] = Array.isArray(value) ? value : [value];
    if (values.length > MAX_ACTORS_TAKEN) {
      this.notes.warn('cut', `${field}: ${values.length} actors, the oldest ${MAX_ACTORS_TAKEN} kept`);
    }
    return values.slice(0, MAX_ACTORS_TAKEN).flatMap((each, i) => this.#partyOf(each, `${field}[${i}]`) ?? []);
  }

  absences(key: string): void {
    const value = this.#attributes.get(key);
    if (!isMap(value)) return;
    for (const [field, reason] of value) {
      if (typeof reason === 'string' && REASONS.includes(reason)) this.notes.miss(field, reason as AbsenceReason);
      else this.notes.warn('invalid_value', 'absent: a reason that is none of the known ones');
    }
  }

  anomalies(key: string): void {
    const value = this.#attributes.get(key);
    for (const each of Array.isArray(value) ? value.slice(0, 32) : []) {
      const anomaly = isMap(each) ? this.#anomalyOf(each) : undefined;
      if (anomaly === undefined) this.notes.warn('invalid_value', 'anomalies: one that has no code');
      else this.notes.keep(anomaly);
    }
  }

  #anomalyOf(value: Attributes): Anomaly | undefined {
    const code = this.notes.identifier('anomalies.code', textOf(value, 'code'), 64);
    if (code === undefined) return undefined;
    return given<Anomaly>({ code, detail: this.notes.description('anomalies.detail', textOf(value, 'detail'), 512) });
  }

  #partyOf(value: AnyValue, field: string): ClearParty | undefined {
    const id = isMap(value) ? this.notes.identifier(field, textOf(value, 'id'), 2048) : undefined;
    if (!isMap(value) || id === undefined) {
      this.notes.warn('invalid_party', `${field}: expected a map with type, id and basis`);
      this.notes.miss(field, 'unverifiable');
      return undefined;
    }
    const issuer = this.notes.identifier(`${field}.issuer`, textOf(value, 'issuer'), 2048);
    if (issuer === undefined && textOf(value, 'issuer') !== undefined) {
      this.notes.miss(field, 'unverifiable');
      return undefined; // without its issuer the id would name another party
    }
    return given<ClearParty>({
      type: oneOf<ClearParty['type']>(PARTY_TYPES, textOf(value, 'type'), 'unknown'),
      issuer,
      id,
      basis: oneOf<ClearParty['basis']>(BASES, textOf(value, 'basis'), 'unverified'),
    });
  }
}

const isMap = (value: AnyValue | undefined): value is Attributes => value instanceof Map;

/** `known` holds every T: the cast follows from the look-up. */
const oneOf = <T extends string>(known: readonly string[], value: string | undefined, otherwise: T): T =>
  value !== undefined && known.includes(value) ? (value as T) : otherwise;
