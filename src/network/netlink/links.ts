import { bytes, nested, numberOf, parseAttributes, text, textOf, u8, u32 } from './attributes.ts';
import { messageFlags, type Reply, type Request } from './message.ts';

/** Requests about network interfaces, and what the kernel tells of them. Pure. @see rtnetlink(7), RTM_NEWLINK */
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_STATS64 = 23;
const IFLA_GROUP = 27;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const VETH_INFO_PEER = 1;
const IFLA_BR_MCAST_SNOOPING = 23;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;
const IFLA_MACVLAN_MODE = 1;
const IFF_UP = 1;
const HEADER_BYTES = 16;

/** `private` neighbours cannot talk to each other; `bridge` ones can, without the outer switch. */
export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
export type MacvlanMode = keyof typeof macvlanModes;

/** What any interface can have. `mac` is six bytes. */
export interface LinkAttributes {
  readonly name?: string;
  readonly up?: boolean;
  readonly mac?: Uint8Array;
  readonly mtu?: number;
  /** Index of the bridge to be a port of; 0 leaves it. */
  readonly master?: number;
  /** A number by which an owner finds its interfaces. */
  readonly group?: number;
  /** An open namespace to be in. */
  readonly namespaceFd?: number;
}

function header(index: number, link: LinkAttributes): Buffer {
  const encoded = Buffer.alloc(HEADER_BYTES);
  encoded.writeInt32LE(index, 4);
  if (link.up !== undefined) {
    encoded.writeUInt32LE(link.up ? IFF_UP : 0, 8);
    encoded.writeUInt32LE(IFF_UP, 12);
  }
  return encoded;
}

function attributes({ name, mac, mtu, master, group, namespaceFd }: LinkAttributes): readonly Buffer[] {
  return [
    ...(name === undefined ? [] : [text(IFLA_IFNAME, name)]),
    ...(mac === undefined ? [] : [bytes(IFLA_ADDRESS, mac)]),
    ...(mtu === undefined ? [] : [u32(IFLA_MTU, mtu)]),
    ...(master === undefined ? [] : [u32(IFLA_MASTER, master)]),
    ...(group === undefined ? [] : [u32(IFLA_GROUP, group)]),
    ...(namespaceFd === undefined ? [] : [u32(IFLA_NET_NS_FD, namespaceFd)]),
  ];
}

function create(link: LinkAttributes, kind: string, data: readonly Buffer[], extra: readonly Buffer[] = []): Request {
  const info = [text(IFLA_INFO_KIND, kind), ...(data.length > 0 ? [nested(IFLA_INFO_DATA, data)] : [])];
  return {
    type: RTM_NEWLINK,
    flags: messageFlags.CREATE | messageFlags.EXCL | messageFlags.ACK,
    payload: Buffer.concat([header(0, link), ...attributes(link), ...extra, nested(IFLA_LINKINFO, info)]),
  };
}

export function createBridge(link: LinkAttributes): Request {
  // Snooping drops multicast of containers that nobody queries for; Docker's bridges do without it as well.
  return create(link, 'bridge', [u8(IFLA_BR_MCAST_SNOOPING, 0)]);
}

/** A pair in one call: both ends are configured when it returns, wherever they are. */
export function createVeth(link: LinkAttributes, peer: LinkAttributes): Request {
  const ends = Buffer.concat([header(0, peer), ...attributes(peer)]);
  return create(link, 'veth', [bytes(VETH_INFO_PEER, ends)]);
}

export function createMacvlan(link: LinkAttributes, parent: number, mode: MacvlanMode): Request {
  return create(link, 'macvlan', [u32(IFLA_MACVLAN_MODE, macvlanModes[mode])], [u32(IFLA_LINK, parent)]);
}

export function changeLink(index: number, link: LinkAttributes): Request {
  return {
    type: RTM_NEWLINK,
    flags: messageFlags.ACK,
    payload: Buffer.concat([header(index, link), ...attributes(link)]),
  };
}

/** How a port of a bridge behaves; the port is named, not numbered, so that it can be changed unseen. */
export interface BridgePort {
  /** Frames may leave by the port that they came in by. */
  readonly hairpin?: boolean;
  /** No frames between this port and others that are isolated. */
  readonly isolated?: boolean;
}

export function changeBridgePort(name: string, { hairpin, isolated }: BridgePort): Request {
  const data = [
    ...(hairpin === undefined ? [] : [u8(IFLA_BRPORT_MODE, Number(hairpin))]),
    ...(isolated === undefined ? [] : [u8(IFLA_BRPORT_ISOLATED, Number(isolated))]),
  ];
  return {
    type: RTM_NEWLINK,
    flags: messageFlags.ACK,
    payload: Buffer.concat([
      header(0, {}),
      text(IFLA_IFNAME, name),
      nested(IFLA_LINKINFO, [text(IFLA_INFO_SLAVE_KIND, 'bridge'), nested(IFLA_INFO_SLAVE_DATA, data)]),
    ]),
  };
}

/** Gives an interface a text of its owner's, which has no meaning to the kernel. */
export function labelLink(name: string, label: string): Request {
  return {
    type: RTM_NEWLINK,
    flags: messageFlags.ACK,
    payload: Buffer.concat([header(0, {}), text(IFLA_IFNAME, name), text(IFLA_IFALIAS, label)]),
  };
}

export function deleteLink(index: number): Request {
  return { type: RTM_DELLINK, flags: messageFlags.ACK, payload: header(index, {}) };
}

export function getLink(name: string): Request {
  return {
    type: RTM_GETLINK,
    flags: messageFlags.ACK,
    payload: Buffer.concat([header(0, {}), text(IFLA_IFNAME, name)]),
  };
}

export function dumpLinks(): Request {
  return { type: RTM_GETLINK, flags: messageFlags.DUMP, payload: header(0, {}) };
}

export interface Link {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth`; empty for hardware and loopback. */
  readonly kind: string;
  readonly up: boolean;
  readonly mac: Buffer;
  readonly mtu: number;
  readonly master: number | undefined;
  readonly group: number;
  /** Empty when it has none. */
  readonly label: string;
  readonly stats: LinkStats;
}

/** Counters since the interface exists, as seen from the side that was asked. */
export interface LinkStats {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxErrors: number;
  readonly txErrors: number;
  readonly rxDropped: number;
  readonly txDropped: number;
}

/** @returns undefined for a message about something else */
export function parseLink({ type, payload }: Reply): Link | undefined {
  if (type !== RTM_NEWLINK || payload.length < HEADER_BYTES) return undefined;
  const found = parseAttributes(payload.subarray(HEADER_BYTES));
  const info = parseAttributes(found.get(IFLA_LINKINFO) ?? Buffer.alloc(0));
  return {
    index: payload.readInt32LE(4),
    name: textOf(found.get(IFLA_IFNAME)),
    kind: textOf(info.get(IFLA_INFO_KIND)),
    up: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    mac: found.get(IFLA_ADDRESS) ?? Buffer.alloc(0),
    mtu: numberOf(found.get(IFLA_MTU)) ?? 0,
    master: numberOf(found.get(IFLA_MASTER)),
    group: numberOf(found.get(IFLA_GROUP)) ?? 0,
    label: textOf(found.get(IFLA_IFALIAS)),
    stats: statsOf(found.get(IFLA_STATS64)),
  };
}

/** @see `struct rtnl_link_stats64` */
function statsOf(value: Buffer | undefined): LinkStats {
  const counter = (position: number) =>
    value && value.length >= (position + 1) * 8 ? Number(value.readBigUInt64LE(position * 8)) : 0;
  const [rxPackets, txPackets, rxBytes, txBytes] = [counter(0), counter(1), counter(2), counter(3)];
  const [rxErrors, txErrors, rxDropped, txDropped] = [counter(4), counter(5), counter(6), counter(7)];
  return { rxPackets, txPackets, rxBytes, txBytes, rxErrors, txErrors, rxDropped, txDropped };
}
