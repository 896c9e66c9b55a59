/**
 * A witness for an auditor's machine: it cosigns a log's checkpoint only when the log grew out of the one it cosigned before
 * (C2SP tlog-witness). What it cosigned is on disk before it answers, and no restart, race or second process takes it back.
 * Proven by test/witness.
 */

export type { Answer, WitnessOptions } from './witness.ts';
export { Witness } from './witness.ts';
export { witnessApi } from './witness-api.ts';
export { WitnessKey } from './witness-key.ts';
