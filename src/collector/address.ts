import { BlockList, isIP, isIPv4 } from 'node:net';
import type { HopObservation } from '#observation';
import type { Notes } from './notes.ts';
import type { Reading } from './vocabulary/reading.ts';

const INTERNAL = new BlockList();
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  INTERNAL.addSubnet(net, prefix, 'ipv4');
INTERNAL.addAddress('::1', 'ipv6');
INTERNAL.addSubnet('fc00::', 7, 'ipv6');
INTERNAL.addSubnet('fe80::', 10, 'ipv6');

/**
 * The other end's address: the called host for a caller, the calling host for a callee. A calling address on the public
 * Internet may be a person's (personal data): it is not kept.
 */
export function peerAddressOf(reading: Reading, side: HopObservation['side'], notes: Notes): string | undefined {
  const field = 'transport.peerAddress';
  if (side === 'local') return undefined;
  if (side === 'caller') return notes.identifier(field, reading.serverAddress, 255);
  const { clientAddress } = reading;
  if (clientAddress === undefined) return undefined;
  if (isIP(clientAddress) === 0 || isInternal(clientAddress)) return notes.identifier(field, clientAddress, 255);
  notes.miss(field, 'redacted');
  return undefined;
}

const isInternal = (address: string): boolean => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return INTERNAL.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
};
