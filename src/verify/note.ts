import { decodeBase64, encodeBase64 } from './base64.ts';
import { malformed } from './verification-error.ts';

/** A text and who signed it (C2SP signed-note v1.0.0). */
export interface Note {
  readonly text: string; // ends in a newline; signed as UTF-8
  readonly signatures: readonly NoteSignature[]; // 1..100
}
export interface NoteSignature {
  readonly name: string;
  readonly keyId: number; // unsigned 32 bits: tells keys apart, secures nothing
  readonly signature: Uint8Array;
}

const DASH = '\u2014';
const MAX_SIGNATURES = 100;
/** The longest note read: 100 signatures of the longest known kind fit. */
export const MAX_NOTE_BYTES = 1_000_000;
const CONTROL = /[^\n\u{20}-\u{10ffff}]/u;
const SPACE_OR_PLUS = /[\p{White_Space}+]/u; // White_Space holds the newline too

/** The note as it is sent and stored. Throws VerificationError `malformed` on a text or name the format cannot hold. */
export function formatNote({ text, signatures }: Note): string {
  requireNoteText(text);
  if (signatures.length < 1 || signatures.length > MAX_SIGNATURES) {
    malformed(`note: expected 1 to ${MAX_SIGNATURES} signatures, got ${signatures.length}`);
  }
  return `${text}\n${signatures.map(formatSignature).join('')}`;
}

/** Reads a note without judging its signatures. Throws VerificationError `malformed` on anything formatNote would not write. */
export function parseNote(note: string): Note {
  if (note.length > MAX_NOTE_BYTES)
    malformed(`note: expected at most ${MAX_NOTE_BYTES} characters, got ${note.length}`);
  const split = note.lastIndexOf('\n\n');
  if (split < 0) malformed('note: expected an empty line between text and signatures');
  const lines = note.slice(split + 2).split('\n');
  if (lines.pop() !== '') malformed('note: expected the last signature line to end in a newline');
  if (lines.length > MAX_SIGNATURES)
    malformed(`note: expected at most ${MAX_SIGNATURES} signatures, got ${lines.length}`);
  const parsed = { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) };
  if (formatNote(parsed) !== note) malformed('note: expected the form its signer writes');
  return parsed;
}

/** Throws `malformed` unless the name may stand in a signature line and a verifier key. */
export function requireKeyName(name: string): void {
  if (name === '' || !name.isWellFormed() || CONTROL.test(name) || SPACE_OR_PLUS.test(name)) {
    malformed('key name: expected one or more characters, no space, "+" or control character');
  }
}

function requireNoteText(text: string): void {
  if (!text.endsWith('\n')) malformed('note: expected a text that ends in a newline');
  if (!text.isWellFormed() || CONTROL.test(text)) malformed('note: expected UTF-8 without control characters');
}

function formatSignature({ name, keyId, signature }: NoteSignature): string {
  requireKeyName(name);
  if (signature.length === 0) malformed(`note: the signature of ${name} is empty`);
  const bytes = new Uint8Array(4 + signature.length);
  new DataView(bytes.buffer).setUint32(0, keyId);
  bytes.set(signature, 4);
  return `${DASH} ${name} ${encodeBase64(bytes)}\n`;
}

function parseSignature(line: string): NoteSignature {
  const [dash, name, base64, ...rest] = line.split(' ');
  if (dash !== DASH || name === undefined || base64 === undefined || rest.length > 0) {
    malformed('note: expected signature lines of the form "\u2014 name base64"');
  }
  const bytes = decodeBase64(base64);
  if (bytes.length < 5) malformed(`note: expected a key id and a signature from ${name}, got ${bytes.length} bytes`);
  return { name, keyId: new DataView(bytes.buffer).getUint32(0), signature: bytes.slice(4) };
}
