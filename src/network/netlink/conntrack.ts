import { bytes, parseAttributes } from './attributes.ts';
import { messageFlags, type Reply, type Request } from './message.ts';

/** Requests about the connections that the kernel tracks. Pure. @see linux/include/uapi/linux/netfilter/nfnetlink_conntrack.h */
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const FAMILIES = { 4: 2, 6: 10 } as const;
const HEADER_BYTES = 4;
const NESTED = 0x8000;
const IPPROTO_UDP = 17;

/** A tracked connection as it began. */
export interface TrackedFlow {
  readonly family: number;
  readonly protocol: number;
  readonly port: number;
  /** The kernel's own description, by which it finds the connection again. */
  readonly tuple: Buffer;
}

export function dumpFlows(family: 4 | 6): Request {
  return request(FAMILIES[family], IPCTNL_MSG_CT_GET, messageFlags.DUMP, []);
}

/** @returns undefined for a message about something else */
export function parseFlow({ type, payload }: Reply): TrackedFlow | undefined {
  if (type >> 8 !== NFNL_SUBSYS_CTNETLINK || payload.length < HEADER_BYTES) return undefined;
  const tuple = parseAttributes(payload.subarray(HEADER_BYTES)).get(CTA_TUPLE_ORIG);
  const transport = tuple && parseAttributes(tuple).get(CTA_TUPLE_PROTO);
  if (!transport) return undefined;
  const values = parseAttributes(transport);
  const port = values.get(CTA_PROTO_DST_PORT);
  return {
    family: payload[0] ?? 0,
    protocol: values.get(CTA_PROTO_NUM)?.[0] ?? 0,
    port: port?.length === 2 ? port.readUInt16BE(0) : 0,
    tuple,
  };
}

export function isUdp({ protocol }: TrackedFlow): boolean {
  return protocol === IPPROTO_UDP;
}

export function deleteFlow({ family, tuple }: TrackedFlow): Request {
  return request(family, IPCTNL_MSG_CT_DELETE, messageFlags.ACK, [bytes(CTA_TUPLE_ORIG | NESTED, tuple)]);
}

function request(family: number, message: number, flags: number, attributes: readonly Uint8Array[]): Request {
  return {
    type: (NFNL_SUBSYS_CTNETLINK << 8) | message,
    flags,
    payload: Buffer.concat([Buffer.from([family, 0, 0, 0]), ...attributes]),
  };
}
