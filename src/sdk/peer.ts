import { createHash } from 'node:crypto';
import { BlockList, isIP, isIPv4 } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import type { Anomalies } from './anomalies.ts';
import { boundedText } from './bounded-text.ts';
import type { InboundRequest } from './inbound-request.ts';
import type { Party } from './party.ts';

export interface PeerOptions {
  /** Takes the certificate of the connection itself. The server must ask for one and check it (`requestCert`, `ca`). */
  readonly mtls?: boolean;
  /** Takes `x-forwarded-client-cert` (Envoy, Istio) from proxies at these addresses or networks, and from nobody else. */
  readonly xfccFrom?: readonly string[];
}

export interface PeerRules {
  readonly mtls: boolean;
  readonly proxies: BlockList | undefined;
}

/** What the transport authenticated on the other end. */
export interface Peer {
  readonly party?: Party;
  /** SHA-256 of its certificate, base64url, as `x5t#S256` has it (RFC 8705). */
  readonly thumbprint?: string;
}

/** Throws TypeError on what is no address or network. */
export function peerRules({ mtls = false, xfccFrom }: PeerOptions): PeerRules {
  if (xfccFrom === undefined) return { mtls, proxies: undefined };
  const proxies = new BlockList();
  for (const network of xfccFrom) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    const bits = prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix);
    const isNetwork =
      isIP(address) !== 0 && Number.isInteger(bits) && bits >= 0 && bits <= (family === 'ipv4' ? 32 : 128);
    if (!isNetwork) throw new TypeError(`behalf.guard: peers.xfccFrom: ${network} is no address or network`);
    proxies.addSubnet(address, bits, family);
  }
  return { mtls, proxies };
}

/** The peer, from the connection's certificate, else from what a trusted proxy says of its own; undefined when there is none. */
export function findPeer(request: InboundRequest, rules: PeerRules, anomalies: Anomalies): Peer | undefined {
  const certificate = rules.mtls ? request.peerCertificate() : undefined;
  const forwarded = request.headers['x-forwarded-client-cert'];
  if (forwarded === undefined) return certificate && ofCertificate(certificate, anomalies);
  if (!isFromProxy(request.remoteAddress, rules.proxies)) {
    anomalies.add('peer_header_ignored', 'x-forwarded-client-cert came from an address that is not a trusted proxy');
    return certificate && ofCertificate(certificate, anomalies);
  }
  return ofXfcc([forwarded].flat().join(','), anomalies);
}

function isFromProxy(remoteAddress: string | undefined, proxies: BlockList | undefined): boolean {
  const address = remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
  return proxies !== undefined && isIP(address) !== 0 && proxies.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function ofCertificate(certificate: PeerCertificate, anomalies: Anomalies): Peer {
  const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
  const [, uri] = /(?:^|, )URI:([^,]+)/.exec(certificate.subjectaltname ?? '') ?? [];
  const name = uri ?? [certificate.subject.CN].flat()[0];
  return { thumbprint, ...partyOf(name, 'proof', anomalies) };
}

/** Elements by comma, oldest first; the last is the client of the proxy that called us. Keys by semicolon; values may be quoted. */
function ofXfcc(header: string, anomalies: Anomalies): Peer | undefined {
  const fields = new Map<string, string>();
  const last = splitOutsideQuotes(header, ',').at(-1) ?? '';
  for (const pair of splitOutsideQuotes(last, ';')) {
    const at = pair.indexOf('=');
    if (at > 0) fields.set(pair.slice(0, at).trim().toLowerCase(), unquoted(pair.slice(at + 1).trim()));
  }
  const hash = fields.get('hash') ?? '';
  const name = fields.get('uri') ?? fields.get('subject');
  if (name === undefined && hash === '') anomalies.add('peer_header_malformed', 'x-forwarded-client-cert names nobody');
  return {
    ...(/^[0-9a-f]{64}$/i.test(hash) && { thumbprint: Buffer.from(hash, 'hex').toString('base64url') }),
    ...partyOf(name, 'header', anomalies),
  };
}

function partyOf(name: string | undefined, basis: 'proof' | 'header', anomalies: Anomalies): { party?: Party } {
  const id = boundedText(name, { max: 2048, name: 'peer', anomalies });
  return id === undefined ? {} : { party: { type: 'service', id, basis } };
}

function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === separator && !isQuoted) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

const unquoted = (value: string): string =>
  value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
