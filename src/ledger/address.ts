import { BlockList, isIP, isIPv4 } from 'node:net';
import type { HopObservation } from '#observation';

export type Side = HopObservation['side'];

/** Loopback, link-local, private and shared ranges (RFC 1122, 1918, 3927, 4193, 4291, 6598): nobody's home. */
const INTERNAL = new BlockList();
for (const range of ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'])
  addSubnet(range, 'ipv4');
for (const range of ['::1/128', 'fc00::/7', 'fe80::/10']) addSubnet(range, 'ipv6');

function addSubnet(range: string, family: 'ipv4' | 'ipv6'): void {
  const [net = '', prefix] = range.split('/');
  INTERNAL.addSubnet(net, Number(prefix), family);
}

/**
 * What stands in an entry for the other end's address, with or without a port. A public address, and the name of a
 * calling host outside our networks, may be a person's: `tag` makes of it what can be compared and not read. Internal
 * addresses and names, and the name of a host that was called, stay.
 */
export function addressInEntry(address: string, side: Side, tag: (host: string) => string): string {
  if (internal.has(address)) return address;
  const host = hostOf(address);
  const plain = isIP(host) === 0 ? side === 'caller' || isInternalName(host) : isInternal(host);
  if (plain && isIP(host) !== 0) remember(address);
  return plain ? address : tag(host);
}

/** Internal addresses seen lately: looking one up in the list takes as long as all the rest. Nobody's are kept. */
const internal = new Set<string>();
const REMEMBERED = 2_048;
const REMEMBERED_LENGTH = 64;

function remember(address: string): void {
  if (internal.size >= REMEMBERED) internal.clear();
  if (address.length <= REMEMBERED_LENGTH) internal.add(address);
}

/** Without brackets, port and the prefix of an IPv4-mapped address, in lower case. */
function hostOf(address: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1];
  const host = bracketed ?? (isIP(address) === 0 ? address.replace(/:\d+$/, '') : address);
  return host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}

const isInternal = (ip: string): boolean => INTERNAL.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6');

/** One label, or a suffix that never is on the public Internet (RFC 6761, RFC 6762, and clusters' own). */
const isInternalName = (host: string): boolean =>
  /^[a-z][a-z0-9_-]*$/.test(host) || /^[a-z0-9_.-]+\.(local|internal|localhost|svc|test)$/.test(host);
