/**
 * Evidence for people outside: the hops of a period as ndjson or csv, streamed. Memory is bounded whatever the period, text from
 * telemetry cannot act as a formula, and an empty period still says what its columns are. Proven by test/exports.
 */

export type { ExportApiOptions } from './api.ts';
export { exportApi } from './api.ts';
export type { ExportedHop, ExportFormat } from './hop-line.ts';
export { EXPORT_FORMATS } from './hop-line.ts';
export type { ExportOptions } from './hops.ts';
export { exportHops } from './hops.ts';
