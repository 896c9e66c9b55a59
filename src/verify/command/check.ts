import { open } from 'node:fs/promises';
import { type Certificate, parseCertificates } from '../certificate.ts';
import { type CheckedEvidence, checkEvidence } from '../check-evidence.ts';
import { openCheckpoint } from '../checkpoint.ts';
import { MAX_EVIDENCE_CHARACTERS } from '../evidence.ts';
import { evidenceOfPage, isEvidencePage } from '../evidence-page.ts';
import type { Policy } from '../policy.ts';
import { MAX_POLICY_CHARACTERS, parsePolicy } from '../policy-file.ts';
import { sameHash } from '../tree-hash.ts';
import { VerificationError } from '../verification-error.ts';
import { type LogReport, verifyLog } from '../verify-log.ts';
import type { LastSeen } from './last-seen.ts';
import { LeafThreads } from './leaf-threads.ts';

const TIMEOUT_MS = 30_000;

/** What held; `remembered` when it was also compared with the checkpoint this machine saw last. */
export type Held =
  | { readonly kind: 'log'; readonly report: LogReport }
  | { readonly kind: 'evidence'; readonly evidence: CheckedEvidence; readonly compared: boolean };

/** Reads a policy file. Throws VerificationError. */
export async function readPolicy(path: string): Promise<Policy> {
  return parsePolicy(await readText(path, MAX_POLICY_CHARACTERS));
}

/** Reads the certificates of time-stamping authorities, in PEM. Throws VerificationError. */
export async function readAuthorities(path: string): Promise<readonly Certificate[]> {
  return parseCertificates(await readText(path, MAX_POLICY_CHARACTERS));
}

/** Verifies a whole log, and remembers its checkpoint only when everything held. Throws VerificationError. */
export async function checkLog(o: {
  readonly url: string;
  readonly policy: Policy;
  readonly seen: LastSeen | undefined;
  readonly threads: number;
  readonly onProgress: (entries: bigint, size: bigint) => void;
}): Promise<Held> {
  const { url, policy, seen, onProgress } = o;
  const leaves = new LeafThreads({ url, timeoutMs: TIMEOUT_MS }, o.threads);
  try {
    const previous = async (origin: string) => seen?.of(origin);
    const report = await verifyLog({ url, policy, onProgress, leaves, previous, timeoutMs: TIMEOUT_MS });
    await seen?.remember(report.note);
    return { kind: 'log', report };
  } finally {
    await leaves.close();
  }
}

/**
 * Verifies a bundle without any network. Its checkpoint is remembered where none was; where one of the same size was, the
 * two must be the same tree. Throws VerificationError.
 */
export async function checkFile(
  path: string,
  trusted: { readonly policy: Policy; readonly authorities?: readonly Certificate[] },
  seen: LastSeen | undefined,
): Promise<Held> {
  const evidence = await checkEvidence({ evidence: await readBundle(path), ...trusted });
  const { checkpoint, verifierKey, note } = evidence;
  const before = await seen?.of(checkpoint.origin);
  if (before === undefined) {
    await seen?.remember(note);
    return { kind: 'evidence', evidence, compared: false };
  }
  const last = await openCheckpoint(before, verifierKey);
  if (last.size === checkpoint.size && !sameHash(last.root, checkpoint.root)) {
    throw new VerificationError(
      'consistency',
      `the log signed two trees of size ${last.size}: the bundle's, and the one seen before; keep both, they prove a fork`,
    );
  }
  return { kind: 'evidence', evidence, compared: last.size === checkpoint.size };
}

/** The bundle in a file: the file itself, or what a page carries, where quotes are escaped and so twice as long at most. */
async function readBundle(path: string): Promise<string> {
  const text = await readText(path, 2 * MAX_EVIDENCE_CHARACTERS);
  return isEvidencePage(text) ? evidenceOfPage(text) : text;
}

/** A file's text, of which no more than the limit is read. Throws VerificationError `too_large` or `malformed`. */
async function readText(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > maxBytes) {
      throw new VerificationError('too_large', `${path}: expected at most ${maxBytes} bytes, got ${size}`);
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.readFile());
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new VerificationError('malformed', `${path}: expected UTF-8`, { cause });
  } finally {
    await file.close();
  }
}
