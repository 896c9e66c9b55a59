import type { CheckedEvidence } from '../check-evidence.ts';
import type { AcceptedCheckpoint } from '../check-policy.ts';
import type { Held } from './check.ts';

/** What held, for people. */
export function describeHeld(held: Held): string {
  const lines = held.kind === 'log' ? linesOfLog(held.report) : linesOfEvidence(held);
  return `${lines.join('\n')}\n`;
}

/** The same for programs: indexes, sizes and times as decimal strings, hashes as base64. */
export function jsonOfHeld(held: Held): string {
  const accepted = held.kind === 'log' ? held.report : held.evidence;
  const { checkpoint, verifierKey, cosigned } = accepted;
  const more =
    held.kind === 'log'
      ? { entries: held.report.entries, tiles: held.report.tiles, previousSize: held.report.previous?.size ?? null }
      : {
          entries: held.evidence.entries,
          disclosed: held.evidence.disclosed,
          timestamp: held.evidence.timestamp,
          compared: held.compared,
        };
  const root = Buffer.from(checkpoint.root).toString('base64');
  const answer = { verified: held.kind, checkpoint: { ...checkpoint, root }, verifierKey, cosigned, ...more };
  return `${JSON.stringify(answer, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}\n`;
}

function linesOfLog({ entries, previous, ...accepted }: Extract<Held, { kind: 'log' }>['report']): string[] {
  return [
    `verified: ${accepted.checkpoint.origin}`,
    `  ${entries} entries read, each hashed to its leaf, the tiles and the root of size ${accepted.checkpoint.size}`,
    ...linesOfCheckpoint(accepted),
    previous === undefined
      ? '  no checkpoint was remembered to compare with'
      : `  it begins with the ${previous.size} entries this machine saw before`,
  ];
}

function linesOfEvidence({ evidence, compared }: Extract<Held, { kind: 'evidence' }>): string[] {
  const { entries, disclosed, checkpoint, timestamp } = evidence;
  return [
    `verified: ${entries.length === 1 ? 'an entry' : `${entries.length} entries`} of ${checkpoint.origin}`,
    `  proven in the tree of size ${checkpoint.size}`,
    ...linesOfCheckpoint(evidence),
    ...lineOfTimestamp(timestamp),
    compared
      ? '  it is the tree this machine saw before'
      : '  no checkpoint of this size was remembered to compare with',
    ...disclosed.map(({ text, index }) => `  disclosed in entry ${index}: ${JSON.stringify(text)}`),
    ...entries.map(({ index, entry }) => `  entry ${index}: ${printable(entry)}`),
  ];
}

function linesOfCheckpoint({ verifierKey, cosigned }: AcceptedCheckpoint): string[] {
  const witnesses = cosigned.map(({ witness, time }) => `  cosigned by ${printable(witness)}, ${dateOf(time)}`);
  return [
    `  signed by ${verifierKey}`,
    ...(witnesses.length === 0 ? ['  cosigned by no witness of the policy'] : witnesses),
  ];
}

function lineOfTimestamp(timestamp: CheckedEvidence['timestamp']): string[] {
  if (timestamp.kind === 'none') return [];
  const when = dateOf(timestamp.time);
  return timestamp.kind === 'checked'
    ? [`  the checkpoint existed at ${when}, says ${printable(timestamp.authority)}`]
    : [`  it carries a timestamp of ${when} that was not checked: name the authorities you trust with --tsa`];
}

const dateOf = (seconds: bigint): string =>
  seconds < 253_402_300_800n ? new Date(Number(seconds) * 1000).toISOString() : `at second ${seconds}`;

/** Entries and names are others' text: nothing in them may steer a terminal. */
const printable = (text: string): string =>
  text.replace(/\p{C}/gu, (character) => JSON.stringify(character).slice(1, -1).replace(/\p{C}/gu, '\ufffd'));
