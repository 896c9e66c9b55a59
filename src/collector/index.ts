/**
 * Takes OTLP/HTTP from any sender and turns what names somebody or crosses a boundary into observations. It promises that
 * success is answered only for what is durable, that bad input is answered by the status OTLP asks for, and that no
 * secret and no claim above its grade goes further. Proven by test/collector; README.md lists what is read.
 */

export type { Account, NotStored } from './account.ts';
export { Accounting } from './account.ts';
export { buildCollector, type CollectorOptions, collector, MAX_BODY_BYTES } from './collector.ts';
