import { BerthError } from '../errors/index.ts';
import { formatPrefix, ipBytes, ipOfBytes, parseIp } from './address/ip.ts';
import { macOfIp, parseMac } from './address/mac.ts';
import { linkNamed } from './namespace/sandbox.ts';
import { readSysctl, writeSysctl } from './namespace/sysctl.ts';
import { addAddress } from './netlink/addresses.ts';
import { changeLink, createBridge, deleteLink, dumpLinks, parseLink } from './netlink/links.ts';
import { dumpRoutes, parseRoute } from './netlink/routes.ts';
import { NetlinkSocket } from './netlink/socket.ts';

/** A bridge of the host. */
export interface BridgePlan {
  /** At most 15 characters. */
  readonly name: string;
  /** The host's own addresses on it, with prefix length. */
  readonly addresses: readonly string[];
  readonly mtu?: number;
}

const LONGEST_NAME = 15;

/**
 * Makes a bridge, or completes what is there. One that was made by others is used, but never changed nor removed.
 * @throws BerthError `invalid` for a name that no interface can have, `conflict` when it is another kind of interface
 */
export function ensureBridge(socket: NetlinkSocket, group: number, plan: BridgePlan): void {
  const { name, addresses } = plan;
  if (name.length > LONGEST_NAME || !/^[^\s/:]+$/.test(name)) {
    throw new BerthError('invalid', `invalid interface name ${JSON.stringify(name)}`, {
      hint: `at most ${LONGEST_NAME} characters, no spaces, slashes or colons`,
    });
  }
  const existing = linkNamed(socket, name);
  if (existing && existing.kind !== 'bridge') {
    throw new BerthError('conflict', `the interface ${name} exists, and is not a bridge`);
  }
  const hasV6 = addresses.some((address) => address.includes(':'));
  if (!existing) {
    const ipv4 = addresses.find((address) => !address.includes(':'))?.split('/')[0];
    // Without an address of its own a bridge takes, and changes with, the lowest of its ports.
    const mac = ipv4 ? { mac: parseMac(macOfIp(ipv4)) } : {};
    socket.demand('link add bridge', [createBridge({ name, group, ...mac, ...(plan.mtu ? { mtu: plan.mtu } : {}) })]);
  } else if (existing.group !== group) return;
  setUp(name, hasV6);
  const index = (existing ?? linkNamed(socket, name))?.index ?? 0;
  socket.demand('link up bridge', [changeLink(index, { up: true })]);
  const requests = addresses.map((text) => {
    const [address = '', length = ''] = text.split('/');
    return addAddress({ index, address: ipBytes(parseIp(address)), prefixLength: Number(length) });
  });
  socket.demand('addr add', requests, ['EEXIST']);
  if (!existing) takePorts(socket, group, { name, index });
}

/** The interfaces of containers that were ports of a bridge by this name, which somebody removed, are so again. */
function takePorts(
  socket: NetlinkSocket,
  group: number,
  bridge: { readonly name: string; readonly index: number },
): void {
  const lost = socket
    .dump('link list', dumpLinks())
    .flatMap((reply) => parseLink(reply) ?? [])
    .filter((link) => link.group === group && link.label === bridge.name && link.master === undefined);
  // Some may end at this moment.
  if (lost.length > 0) {
    const ports = lost.map(({ index }) => changeLink(index, { master: bridge.index, up: true }));
    socket.demand('link set master', ports, ['ENODEV']);
  }
}

/** Waits in a thread until the kernel has let go of it. Idempotent; others' bridges stay. */
export async function removeBridge(group: number, name: string): Promise<void> {
  const socket = new NetlinkSocket();
  try {
    const link = linkNamed(socket, name);
    if (link?.kind !== 'bridge' || link.group !== group) return;
    await socket.demandInThread('link delete', [deleteLink(link.index)], ['ENODEV']);
  } finally {
    socket.close();
  }
}

/** The bridges that were made by this owner. */
export function bridgesOf(socket: NetlinkSocket, group: number): readonly string[] {
  return socket
    .dump('link list', dumpLinks())
    .flatMap((reply) => parseLink(reply) ?? [])
    .filter((link) => link.kind === 'bridge' && link.group === group)
    .map(({ name }) => name);
}

/** What the host reaches by itself: prefixes of its routes, but for the default one and those of some interfaces. */
export function hostRoutes(socket: NetlinkSocket, except: ReadonlySet<string>): readonly string[] {
  const links = socket.dump('link list', dumpLinks()).flatMap((reply) => parseLink(reply) ?? []);
  const excepted = new Set(links.filter(({ name }) => except.has(name)).map(({ index }) => index));
  return ([4, 6] as const).flatMap((family) =>
    socket.dump('route list', dumpRoutes(family)).flatMap((reply) => {
      const { destination, outgoing } = parseRoute(reply) ?? {};
      if (!destination || destination.prefixLength === 0 || excepted.has(outgoing ?? 0)) return [];
      return [formatPrefix({ family, first: ipOfBytes(destination.address).value, length: destination.prefixLength })];
    }),
  );
}

/** The largest packet of the interface that the default route goes out by; undefined without such a route. */
export function uplinkMtu(socket: NetlinkSocket): number | undefined {
  const routes = socket.dump('route list', dumpRoutes(4)).flatMap((reply) => parseRoute(reply) ?? []);
  const uplink = routes.find(({ destination }) => destination === undefined)?.outgoing;
  const links = socket.dump('link list', dumpLinks()).flatMap((reply) => parseLink(reply) ?? []);
  return links.find(({ index }) => index === uplink)?.mtu;
}

/** The settings that make the host a router for the bridge, and deaf to what its containers advertise. */
function setUp(name: string, hasV6: boolean): void {
  // Connections of the host itself to 127.0.0.1 are led to containers; a rule drops those that containers try.
  writeSysctl(`ipv4/conf/${name}/route_localnet`, '1');
  writeSysctl(`ipv6/conf/${name}/accept_ra`, '0');
  writeSysctl(`ipv6/conf/${name}/disable_ipv6`, hasV6 ? '0' : '1');
  forwardV4();
  if (hasV6) forwardV6();
}

function forwardV4(): void {
  if (readSysctl('ipv4/ip_forward') === '1' || writeSysctl('ipv4/ip_forward', '1')) return;
  throw new BerthError('forbidden', 'the kernel does not forward packets, and the engine may not change that', {
    hint: 'run as root: sysctl -w net.ipv4.ip_forward=1',
  });
}

/** A router takes no advertisements, unless told twice: the host's own addresses may come from them. */
function forwardV6(): void {
  if (readSysctl('ipv6/conf/all/forwarding') === '1') return;
  for (const name of interfaceNames()) {
    if (readSysctl(`ipv6/conf/${name}/accept_ra`) === '1') writeSysctl(`ipv6/conf/${name}/accept_ra`, '2');
  }
  writeSysctl('ipv6/conf/all/forwarding', '1');
}

function interfaceNames(): readonly string[] {
  const socket = new NetlinkSocket();
  try {
    return socket.dump('link list', dumpLinks()).flatMap((reply) => parseLink(reply)?.name ?? []);
  } finally {
    socket.close();
  }
}
