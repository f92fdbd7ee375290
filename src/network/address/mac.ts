import { BerthError } from '../../errors/index.ts';
import { ipBytes, parseIp } from './ip.ts';

/**
 * The address of a container's interface on a link: made from its IPv4 address, so that who gets the address of another
 * container gets all of it, and no neighbour remembers a wrong one. Pure.
 */
export function macOfIp(ipv4: string): string {
  return formatMac(Buffer.concat([Buffer.from([0x02, 0x42]), ipBytes(parseIp(ipv4))]));
}

export function formatMac(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** @throws BerthError `invalid` for other than six bytes in hex, and for one that means a group */
export function parseMac(text: string): Buffer {
  if (!/^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(text)) {
    throw new BerthError('invalid', `${text} is not a valid mac address`);
  }
  const bytes = Buffer.from(text.replaceAll(/[:-]/g, ''), 'hex');
  if (bytes[0]! & 1) throw new BerthError('invalid', `${text} is a multicast address: no interface can have it`);
  return bytes;
}
