import type { HopObservation } from '#observation';
import type { Span } from '../otlp.ts';

export type Protocol = HopObservation['transport']['protocol'];

/** An identity and the attribute it stands in. */
export interface Named {
  readonly key: string;
  readonly id: string;
}

/** What one vocabulary says of a span. Everything is what the program claims: grade `attribute`. */
export interface Reading {
  /** Whose request it is, the vocabulary's strongest name first. */
  readonly users?: readonly Named[];
  /** The agent the span is about: the one that acts, or the one that is called where `step` is `agent` and the span calls. */
  readonly agent?: string;
  /** What the span does when it crosses no boundary. A model call inside a program is no hop. */
  readonly step?: 'agent' | 'tool' | 'model';
  readonly protocol?: Protocol;
  readonly peerService?: string;
  /** Address of the called side, by the caller. */
  readonly serverAddress?: string;
  /** Address of the calling side, by the called. */
  readonly clientAddress?: string;
  readonly messageId?: string;
  readonly conversation?: string;
  readonly requestId?: string;
  readonly operation?: string;
  readonly resource?: string;
  /** The protocol's own result code, and whether it means failure. */
  readonly code?: string;
  readonly failed?: boolean;
}

/** Reads one family of attribute names. Pure; never throws. */
export interface Vocabulary {
  readonly name: string;
  /** Every attribute it reads: nothing else is unfolded from a request. */
  readonly keys: readonly string[];
  read(span: AttributeView): Reading | undefined;
}

/** A span's attributes as text. */
export interface AttributeView {
  readonly kind: number;
  /** The first of these keys that has a non-empty string, number or boolean. */
  text(...keys: readonly string[]): string | undefined;
}

export const viewOf = ({ kind, attributes }: Pick<Span, 'kind' | 'attributes'>): AttributeView => ({
  kind,
  text: (...keys) => {
    for (const key of keys) {
      const value = attributes.get(key);
      if (typeof value === 'string' && value !== '') return value;
      if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    }
    return undefined;
  },
});

/** An object without the fields that are undefined. */
export function given<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  const kept: Partial<T> = {};
  for (const key in fields) {
    const value: T[typeof key] | undefined = fields[key];
    if (value !== undefined) kept[key] = value;
  }
  return kept as T; // what was left out is undefined, and only optional fields may be
}

/** The users that the named attributes hold, in the order of the keys. */
export const usersIn = (span: AttributeView, keys: readonly string[]): readonly Named[] | undefined => {
  let users: Named[] | undefined;
  for (const key of keys) {
    const id = span.text(key);
    if (id !== undefined) users = [...(users ?? []), { key, id }];
  }
  return users;
};
