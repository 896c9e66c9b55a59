import type { Anomalies } from './anomalies.ts';

/**
 * A string the observation schema takes: 1 to `max` UTF-16 units, no lone surrogates. Anything else is left out and
 * named as an anomaly; an outside value is never shortened, since a shortened identity is another identity.
 */
export function boundedText(
  value: unknown,
  { max, name, anomalies }: { max: number; name: string; anomalies: Anomalies },
): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return refuse(anomalies, 'value_not_text', name);
  if (value.length > max) return refuse(anomalies, 'value_too_long', `${name}: ${value.length} characters`);
  if (!value.isWellFormed()) return refuse(anomalies, 'value_not_unicode', name);
  return value;
}

/** A list of such strings; what is beyond `maxItems` is left out and named as an anomaly. */
export function boundedList(
  values: readonly unknown[],
  { max, maxItems, name, anomalies }: { max: number; maxItems: number; name: string; anomalies: Anomalies },
): readonly string[] {
  if (values.length > maxItems) anomalies.add('list_too_long', `${name}: ${values.length} values`);
  return values.slice(0, maxItems).flatMap((value) => boundedText(value, { max, name, anomalies }) ?? []);
}

function refuse(anomalies: Anomalies, code: string, detail: string): undefined {
  anomalies.add(code, detail);
  return undefined;
}
