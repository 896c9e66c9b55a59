import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { UnixNano } from './authority.ts';
import { canonicalWriter } from './canonical.ts';
import { ObservationError } from './parse.ts';
import { Text } from './party.ts';

/**
 * An administrative entry: something about the log itself changed. It tells of no hop and stands in no chain. So far its only
 * change is that the log's key was handed over: the note both keys signed, and the keys it names.
 */
export const ConfigEntry = Type.Object(
  {
    v: Type.Literal(1),
    kind: Type.Literal('config'),
    /** UUIDv7; the same change carries the same id. */
    id: Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' }),
    time: UnixNano,
    change: Type.Object(
      { kind: Type.Literal('log_key'), from: Text(512), to: Text(512), handOver: Text(8192) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type ConfigEntry = Static<typeof ConfigEntry>;

const checker = Compile(ConfigEntry);
const write = canonicalWriter(ConfigEntry);
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether an entry's JSON is an administrative one, which stands in no chain. */
export const isConfigEntry = (value: unknown): value is ConfigEntry => checker.Check(value);

/** Its exact bytes in the log: RFC 8785 canonical JSON. Throws ObservationError on what the schema forbids. */
export function encodeConfig(entry: ConfigEntry): Uint8Array {
  if (checker.Check(entry)) return Buffer.from(write(entry));
  throw new ObservationError('config entry: does not fit the schema');
}

/** Reads them back; undefined for any other entry. Accepts only what encodeConfig would have written. */
export function parseConfig(bytes: Uint8Array): ConfigEntry | undefined {
  const value = jsonOrNothing(bytes);
  if (!isConfigEntry(value) || Buffer.compare(encodeConfig(value), bytes) !== 0) return undefined;
  return value;
}

function jsonOrNothing(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(strictUtf8.decode(bytes));
  } catch {
    return undefined; // neither text nor JSON: another's entry
  }
}
