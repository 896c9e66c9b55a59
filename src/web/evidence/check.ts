import {
  type Certificate,
  type CheckedEvidence,
  checkEvidence,
  evidenceOfPage,
  isEvidencePage,
  MAX_EVIDENCE_CHARACTERS,
  type Policy,
  parseCertificates,
  parseEvidence,
  parsePolicy,
  policyOfLog,
  VerificationError,
} from '@behalf/verify';

/** Whose word the check rests on: a policy the reader gives, or the one that came with the bundle. */
export interface Trusted {
  readonly policy: Policy;
  readonly authorities?: readonly Certificate[];
  readonly from: 'reader' | 'bundle';
}

export type Checked =
  | {
      readonly kind: 'held';
      readonly evidence: CheckedEvidence;
      readonly trusted: Trusted;
      readonly milliseconds: number;
    }
  | { readonly kind: 'refused'; readonly error: VerificationError }
  | { readonly kind: 'unable'; readonly says: string };

/** The bundle in a file that was dropped: the file itself, or a page that carries one. Throws VerificationError. */
export async function readBundle(file: File): Promise<string> {
  if (file.size > 2 * MAX_EVIDENCE_CHARACTERS) {
    throw new VerificationError(
      'too_large',
      `${file.name}: expected at most ${2 * MAX_EVIDENCE_CHARACTERS} bytes, got ${file.size}`,
    );
  }
  const text = textOf(await file.arrayBuffer());
  return isEvidencePage(text) ? evidenceOfPage(text) : text;
}

/** What the reader trusts, as text: a tlog-policy or a log's verifier key alone, and certificates in PEM. Throws VerificationError. */
export function trustedBy(text: string): Trusted {
  const certificates = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
  const [pem, rest] = [text.match(certificates), text.replaceAll(certificates, '').trim()];
  const isKey = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(rest);
  return {
    policy: isKey ? policyOfLog(rest) : parsePolicy(`${rest}\n`),
    ...(pem === null ? {} : { authorities: parseCertificates(pem.join('\n')) }),
    from: 'reader',
  };
}

/** Checks a bundle under what is trusted; without it, under the policy inside the bundle, which proves less. */
export async function checkBundle(bundle: string, trusted: Trusted | null): Promise<Checked> {
  if (globalThis.crypto?.subtle === undefined) {
    return {
      kind: 'unable',
      says: 'This browser checks signatures only in pages from a disk, from HTTPS or from this machine.',
    };
  }
  const started = performance.now();
  try {
    const under = trusted ?? { policy: parsePolicy(parseEvidence(bundle).policy), from: 'bundle' };
    const evidence = await checkEvidence({ evidence: bundle, ...under });
    return { kind: 'held', evidence, trusted: under, milliseconds: performance.now() - started };
  } catch (error) {
    if (error instanceof VerificationError) return { kind: 'refused', error };
    // Not what was checked, but what it is checked with: WebCrypto without Ed25519, for instance.
    return { kind: 'unable', says: `This browser could not run the check: ${String(error)}. A current one can.` };
  }
}

function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new VerificationError('malformed', 'expected a file in UTF-8', { cause });
  }
}
