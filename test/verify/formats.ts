import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  entryBundlePath,
  evidenceOfPage,
  formatAddCheckpoint,
  formatCheckpoint,
  formatEntryBundle,
  formatEvidence,
  formatEvidencePage,
  formatHandOver,
  formatNote,
  formatPolicy,
  formatTlogProof,
  formatVerifierKey,
  parseAddCheckpoint,
  parseCheckpoint,
  parseEntryBundle,
  parseEvidence,
  parseHandOver,
  parseNote,
  parsePolicy,
  parseTilePath,
  parseTlogProof,
  parseVerifierKey,
  policyOfLog,
  tilePath,
  VerificationError,
} from '@behalf/verify';
import { decodeBase64, encodeBase64 } from '../../src/verify/base64.ts';
import { parseDecimal } from '../../src/verify/decimal.ts';
import { formatDer, membersOf, parseDer } from '../../src/verify/der.ts';
import { cosigner } from './cosigner.ts';
import { numberedEntries, pathOf, referenceLog } from './reference-log.ts';
import { sealWith } from './sealed.ts';

/** A format: good examples of it, and what reads a file and writes it again; undefined where reading is all there is. */
export interface Format {
  readonly name: string;
  readonly good: readonly Uint8Array[];
  readonly rewrite: (file: Uint8Array) => Uint8Array;
}

const utf8 = new TextEncoder();
/** Text as it would be read from a file: what is no UTF-8 is refused before any parser sees it, and so skipped here. */
const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

const text = (name: string, good: readonly string[], rewrite: (file: string) => string): Format => ({
  name,
  good: good.map((each) => utf8.encode(each)),
  rewrite: (file) => utf8.encode(rewrite(textOf(file))),
});

const log = referenceLog(numberedEntries(300));
const witness = cosigner('witness.example/one');
const cosigned = witness.cosign(log.note);
const proof = pathOf(log.leaves, 7).map((hash) => new Uint8Array(hash));
const policy = formatPolicy({
  ...policyOfLog(log.verifierKey),
  witnesses: [{ name: 'w', verifierKey: witness.verifierKey, url: 'https://w.example/' }],
  groups: [{ name: 'g', threshold: 1, members: ['w'] }],
  quorum: 'g',
});
const key = new Uint8Array(randomBytes(32));
const sealed = sealWith(key, log.origin, 'dana');
const evidence = formatEvidence({
  checkpoint: cosigned,
  entries: [{ index: 7n, entry: JSON.stringify({ sealed }), proof }],
  disclosures: [{ key, sealed }],
  policy,
});
const otherKey = formatVerifierKey(log.origin, new Uint8Array(randomBytes(32)));
const handOver = formatHandOver({ origin: log.origin, from: log.verifierKey, to: otherKey, until: 1_793_439_700n });
const page = '<!doctype html><script type="application/json" id="evidence"></script>';

function rewritePath(path: string): string {
  const parsed = parseTilePath(path);
  return parsed.kind === 'tile'
    ? tilePath(parsed.level, parsed.index, parsed.width)
    : entryBundlePath(parsed.index, parsed.width);
}

function rewriteDer(bytes: Uint8Array): Uint8Array {
  const value = parseDer(bytes);
  if ((value.tag & 0x20) === 0) return formatDer(value.tag, value.content);
  return formatDer(value.tag, ...membersOf(value).map((member) => rewriteDer(member.bytes)));
}

const key25519 = (file: string): string => {
  const { name, publicKey, type } = parseVerifierKey(file);
  return formatVerifierKey(name, publicKey, type);
};

/** Every text and binary format that @behalf/verify reads and writes. */
export const FORMATS: readonly Format[] = [
  text('signed note', [log.note, cosigned], (file) => formatNote(parseNote(file))),
  text('checkpoint', [parseNote(log.note).text], (file) => formatCheckpoint(parseCheckpoint(file))),
  text('verifier key', [log.verifierKey, witness.verifierKey], key25519),
  text('tile path', ['tile/2/x001/x234/067', 'tile/entries/000.p/9', 'tile/63/255.p/255'], rewritePath),
  text('tlog-proof', [formatTlogProof({ index: 7n, proof, checkpoint: cosigned })], (file) =>
    formatTlogProof(parseTlogProof(file)),
  ),
  text('add-checkpoint', [formatAddCheckpoint({ oldSize: 9n, proof, checkpoint: cosigned })], (file) =>
    formatAddCheckpoint(parseAddCheckpoint(file)),
  ),
  text('evidence bundle', [evidence], (file) => formatEvidence(parseEvidence(file))),
  text('evidence in a page', [formatEvidencePage(page, evidence)], (file) => {
    const carried = evidenceOfPage(file);
    assert.ok(
      file.includes(JSON.stringify(carried).replaceAll('<', '\\u003c')),
      'it stands in the page as it is written',
    );
    return file; // what is around it is anybody's
  }),
  text('policy', [policy, `# why\n\n ${policy}`], (file) => {
    assert.deepEqual(parsePolicy(formatPolicy(parsePolicy(file))), parsePolicy(file));
    return file; // comments and spaces are its writer's own
  }),
  text('decimal', ['0', '7', String(2n ** 64n - 1n)], (file) => String(parseDecimal(file, 'decimal'))),
  text('base64', ['', 'AA==', 'AAA=', 'AAAA'], (file) => encodeBase64(decodeBase64(file))),
  text('key hand-over', [handOver], (file) => formatHandOver(parseHandOver(file))),
  {
    name: 'entry bundle',
    good: [formatEntryBundle([utf8.encode('one'), new Uint8Array(0), new Uint8Array(300)])],
    rewrite: (file) => formatEntryBundle(parseEntryBundle(file)),
  },
  {
    name: 'DER',
    good: [formatDer(0x30, formatDer(2, new Uint8Array([5])), formatDer(0x31, formatDer(4, new Uint8Array(200))))],
    rewrite: rewriteDer,
  },
];

/** Reads what a hostile somebody wrote: it is written again the same, or refused with a VerificationError. Returns whether it was read. */
export function readOrRefuse({ name, rewrite }: Format, file: Uint8Array): boolean {
  try {
    const again = rewrite(file);
    assert.deepEqual(Buffer.from(again), Buffer.from(file), `${name}: what was read is written otherwise`);
    return true;
  } catch (error) {
    if (error instanceof VerificationError) return false;
    if (error instanceof TypeError && error.message.includes('encoded data was not valid')) return false;
    throw error;
  }
}
