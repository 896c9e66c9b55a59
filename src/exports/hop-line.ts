import type { Hop } from '#chains';
import type { PartyView } from '#query';
import { csvLine } from './csv.ts';

export interface ExportedHop {
  readonly chain: string; // chain id
  readonly findings: readonly string[]; // rule ids
  readonly hop: Hop<PartyView>;
}

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

type Column = readonly [name: string, value: (each: ExportedHop) => string | null | undefined];

/** Lists are joined by spaces where they cannot hold one, else by ` > `. */
const COLUMNS: readonly Column[] = [
  ['time', ({ hop }) => rfc3339(hop.time)],
  ['chain_id', ({ chain }) => chain],
  ['hop_id', ({ hop }) => hop.id],
  ['kind', ({ hop }) => hop.kind],
  ['from_service', ({ hop }) => hop.from?.name],
  ['to_service', ({ hop }) => hop.to?.name],
  ['protocol', ({ hop }) => hop.protocol],
  ['operation', ({ hop }) => hop.operation],
  ['resource', ({ hop }) => hop.resource],
  ['subject', ({ hop }) => hop.subject && nameOf(hop.subject)],
  ['subject_key', ({ hop }) => hop.subject?.key],
  ['initiator', ({ hop }) => hop.initiator && nameOf(hop.initiator)],
  ['actors', ({ hop }) => hop.actors.map(nameOf).join(' > ')],
  ['actor_keys', ({ hop }) => hop.actors.map((actor) => actor.key).join(' > ')],
  ['scopes', ({ hop }) => hop.authority?.scopes?.join(' ')],
  ['required_scopes', ({ hop }) => hop.requiredScopes.join(' ')],
  ['token_digest', ({ hop }) => hop.authority?.digest],
  ['token_issuer', ({ hop }) => hop.authority?.issuer],
  ['verification', ({ hop }) => hop.verification?.status],
  ['decision', ({ hop }) => hop.decision?.outcome],
  ['decision_reason', ({ hop }) => hop.decision?.reason],
  ['outcome', ({ hop }) => hop.outcome?.status],
  ['grade', ({ hop }) => hop.grade],
  ['verdict', ({ hop }) => hop.verdict],
  ['reason', ({ hop }) => hop.reason],
  ['findings', ({ findings }) => findings.join(' ')],
  ['trace_id', ({ hop }) => hop.trace?.traceId],
  ['span_id', ({ hop }) => hop.trace?.spanId],
  ['entries', ({ hop }) => [...hop.callerEntries, ...hop.calleeEntries].join(' ')],
];

/** The lines before the first hop: csv has its column names, also when no hop follows. */
export const headOf = (format: ExportFormat): string =>
  format === 'csv' ? csvLine(COLUMNS.map(([name]) => name)) : '';

export const lineOf = (format: ExportFormat, each: ExportedHop): string =>
  format === 'csv' ? csvLine(COLUMNS.map(([, value]) => value(each) ?? '')) : `${JSON.stringify(each)}\n`;

/** A person whose name is erased stands as their reference. */
const nameOf = (party: PartyView): string => party.id ?? party.key;

/** Unix nanoseconds as RFC 3339 to the nanosecond; a time no calendar of four-digit years reaches stays as it is. */
export function rfc3339(nanoseconds: string): string {
  const time = BigInt(nanoseconds);
  const date = new Date(Number(time / 1_000_000_000n) * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) return nanoseconds;
  return `${date.toISOString().slice(0, 19)}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`;
}
