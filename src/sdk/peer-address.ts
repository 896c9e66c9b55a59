import { BlockList, isIP, isIPv4 } from 'node:net';

/** Networks whose addresses are of machines: private, shared, link-local and loopback (RFC 1918, 6598, 3927, 4193). */
const INTERNAL = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  INTERNAL.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  INTERNAL.addSubnet(network, prefix, 'ipv6');
}

/**
 * True for a calling address that may be kept. One on the public Internet may be a person's: personal data, which does
 * not leave the service in clear.
 */
export function isInternalAddress(address: string): boolean {
  const known = seen.get(address);
  if (known !== undefined) return known;
  if (seen.size >= MAX_SEEN) seen.clear();
  const found = isInternal(address);
  seen.set(address, found);
  return found;
}

/** A service is called from few addresses. */
const MAX_SEEN = 1024;
const seen = new Map<string, boolean>();

function isInternal(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return isIP(plain) !== 0 && INTERNAL.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
}
