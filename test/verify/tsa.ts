import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why tests with a real authority cannot run here; undefined where they can. */
export const withoutOpenssl =
  spawnSync('openssl', ['version']).error === undefined ? false : 'openssl is not on this machine';

/** A real time-stamping authority: OpenSSL's, nobody's code here. */
export interface Authority {
  readonly certificate: string; // PEM
  /** Answers a request (RFC 3161) in DER. */
  answer(query: Uint8Array): Promise<Uint8Array>;
}

export interface AuthorityOptions {
  readonly key?: 'rsa' | 'P-256' | 'P-384';
  readonly name?: string;
  readonly purpose?: string;
  readonly valid?: readonly [from: string, to: string]; // YYYYMMDDHHMMSSZ; a month from now unless told
  readonly essDigest?: 'sha1' | 'sha256';
}

const CONFIGURATION = (
  folder: string,
  { valid, essDigest = 'sha256', purpose = 'critical,timeStamping' }: AuthorityOptions,
) => `
[tsa]
default_tsa = own
[own]
serial = ${folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = ${essDigest}
[ca]
default_ca = own_ca
[own_ca]
database = ${folder}/index
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = extensions
${valid === undefined ? 'default_days = 30' : `default_startdate = ${valid[0]}\ndefault_enddate = ${valid[1]}`}
[any]
commonName = supplied
[extensions]
${purpose === '' ? '' : `extendedKeyUsage = ${purpose}`}
subjectKeyIdentifier = hash
[req]
distinguished_name = none
[none]
`;

const KEYS = {
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
};

/** An authority with a key and a certificate of its own, in a folder that goes with the test. */
export async function openAuthority(t: TestContext, options: AuthorityOptions = {}): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-tsa-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  await writeFile(at('conf'), CONFIGURATION(folder, options));
  await writeFile(at('index'), '');
  await writeFile(at('serial'), '01');
  const subject = `/CN=${options.name ?? 'Test authority'}`;
  await run('openssl', ['genpkey', ...KEYS[options.key ?? 'rsa'], '-out', at('key')]);
  await run('openssl', [
    'req',
    '-new',
    '-config',
    at('conf'),
    '-key',
    at('key'),
    '-subj',
    subject,
    '-out',
    at('request'),
  ]);
  const sign = [
    '-selfsign',
    '-keyfile',
    at('key'),
    '-in',
    at('request'),
    '-out',
    at('certificate'),
    '-notext',
    '-batch',
  ];
  await run('openssl', ['ca', '-config', at('conf'), '-name', 'own_ca', ...sign]);
  const answer = async (query: Uint8Array): Promise<Uint8Array> => {
    await writeFile(at('query'), query);
    const how = ['-config', at('conf'), '-inkey', at('key'), '-signer', at('certificate'), '-queryfile', at('query')];
    await run('openssl', ['ts', '-reply', ...how, '-out', at('answer')]);
    return new Uint8Array(await readFile(at('answer')));
  };
  return { certificate: await readFile(at('certificate'), 'utf8'), answer };
}

/** Serves an authority over HTTP on this machine; `answer` may answer otherwise. Returns its address. */
export async function serveAuthority(t: TestContext, answer: Authority['answer']): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.headers['content-type'] !== 'application/timestamp-query') return response.writeHead(415).end();
    response.setHeader('content-type', 'application/timestamp-reply').end(await answer(Buffer.concat(chunks)));
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
