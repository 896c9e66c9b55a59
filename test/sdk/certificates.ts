import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
  /** As `x5t#S256` has it (RFC 8705 section 3.1). */
  readonly thumbprint: string;
}

export interface CertificateAuthority {
  readonly cert: string;
  /** A certificate with one subject alternative name, such as `IP:127.0.0.1` or `URI:spiffe://a/b`. */
  issue(name: string): Promise<KeyPair>;
}

const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', [...args]);

/** False where there is no openssl 3 to make certificates with. */
export const canIssue = (): Promise<boolean> =>
  openssl('version').then(
    ({ stdout }) => /^OpenSSL [3-9]/.test(stdout),
    () => false,
  );

/** A certificate authority of its own, whose files are gone after the test. */
export async function certificateAuthority(t: { after(run: () => unknown): void }): Promise<CertificateAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-ca-'));
  t.after(() => rm(folder, { recursive: true }));
  let made = 0;
  const make = async (name: string, ...more: readonly string[]): Promise<KeyPair> => {
    made += 1;
    const [keyFile, certFile] = [join(folder, `${made}.key`), join(folder, `${made}.crt`)];
    const files = ['-keyout', keyFile, '-out', certFile];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await openssl('req', '-x509', ...curve, ...files, '-days', '1', '-subj', `/CN=${name}`, ...more);
    const [key, cert] = await Promise.all([readFile(keyFile, 'utf8'), readFile(certFile, 'utf8')]);
    const thumbprint = createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');
    return { key, cert, thumbprint };
  };
  const { cert } = await make('test authority');
  const ca = ['-CA', join(folder, '1.crt'), '-CAkey', join(folder, '1.key')];
  const issue = (name: string) =>
    make('leaf', ...ca, '-addext', `subjectAltName=${name}`, '-addext', 'basicConstraints=critical,CA:FALSE');
  return { cert, issue };
}
