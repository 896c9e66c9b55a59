import { BlockList, isIP, isIPv4 } from 'node:net';
import type { HopObservation } from '#observation';
import type { Notes } from './notes.ts';
import { RecentTexts } from './recent-texts.ts';
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

/** The other end of a plain span: the called host for a caller, the calling host for a callee. */
export function peerAddressOf(reading: Reading, side: HopObservation['side'], notes: Notes): string | undefined {
  if (side === 'local') return undefined;
  return addressToKeep(side === 'caller' ? reading.serverAddress : reading.clientAddress, side, notes);
}

/** A calling address on the public Internet may be a person's (personal data): it is not kept, and that is told. */
export function addressToKeep(
  address: string | undefined,
  side: HopObservation['side'] | undefined,
  notes: Notes,
): string | undefined {
  const field = 'transport.peerAddress';
  if (address === undefined || side === 'caller' || internal.has(address) || isIP(address) === 0 || isInternal(address))
    return notes.identifier(field, address, 255);
  notes.miss(field, 'redacted');
  return undefined;
}

/** Internal addresses seen lately: looking one up in the list takes as long as all the rest. Nobody's are kept. */
const internal = new RecentTexts(2_048);
const REMEMBERED_LENGTH = 64;

const isInternal = (address: string): boolean => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  const isOurs = INTERNAL.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
  if (isOurs && address.length <= REMEMBERED_LENGTH) internal.add(address);
  return isOurs;
};
