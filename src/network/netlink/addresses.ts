import { bytes, parseAttributes, u32 } from './attributes.ts';
import { messageFlags, type Reply, type Request } from './message.ts';

/** Requests about addresses of interfaces. Pure. @see rtnetlink(7), RTM_NEWADDR */
const RTM_NEWADDR = 20;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x02;
const HEADER_BYTES = 8;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** `address` has 4 or 16 bytes. */
export interface InterfaceAddress {
  readonly index: number;
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

export function addAddress(wanted: InterfaceAddress): Request {
  const { address, prefixLength } = wanted;
  const extra =
    address.length === 4
      ? prefixLength < 31
        ? [bytes(IFA_BROADCAST, lastOf(address, prefixLength))]
        : []
      : // Addresses are given out once: waiting a second for nobody to answer would only delay the first packet.
        [u32(IFA_FLAGS, IFA_F_NODAD)];
  return request(RTM_NEWADDR, messageFlags.CREATE | messageFlags.EXCL | messageFlags.ACK, wanted, extra);
}

/** @returns undefined for a message about something else */
export function parseAddress({ type, payload }: Reply): InterfaceAddress | undefined {
  if (type !== RTM_NEWADDR || payload.length < HEADER_BYTES) return undefined;
  const found = parseAttributes(payload.subarray(HEADER_BYTES));
  const address = found.get(IFA_LOCAL) ?? found.get(IFA_ADDRESS);
  return address && { index: payload.readUInt32LE(4), address, prefixLength: payload[1]! };
}

function request(type: number, flags: number, wanted: InterfaceAddress, extra: readonly Buffer[]): Request {
  const { index, address, prefixLength } = wanted;
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = address.length === 4 ? AF_INET : AF_INET6;
  header[1] = prefixLength;
  header.writeUInt32LE(index, 4);
  return {
    type,
    flags,
    payload: Buffer.concat([header, bytes(IFA_LOCAL, address), bytes(IFA_ADDRESS, address), ...extra]),
  };
}

function lastOf(address: Uint8Array, prefixLength: number): Buffer {
  const last = Buffer.from(address);
  last.writeUInt32BE((last.readUInt32BE() | (0xffffffff >>> prefixLength)) >>> 0);
  return last;
}
