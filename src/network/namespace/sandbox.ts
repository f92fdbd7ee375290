import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { isRunning, type ProcessIdentity } from '../../linux/index.ts';
import { ipBytes, parseIp } from '../address/ip.ts';
import { formatMac, macOfIp, parseMac } from '../address/mac.ts';
import { addAddress } from '../netlink/addresses.ts';
import {
  changeBridgePort,
  changeLink,
  createMacvlan,
  createVeth,
  deleteLink,
  dumpLinks,
  getLink,
  type Link,
  type LinkAttributes,
  labelLink,
  type MacvlanMode,
  parseLink,
} from '../netlink/links.ts';
import type { Request } from '../netlink/message.ts';
import { removeRoute, replaceRoute } from '../netlink/routes.ts';
import { NetlinkSocket } from '../netlink/socket.ts';
import { inNamespace, makeNamespace } from './enter.ts';
import { readSysctl, writeSysctl } from './sysctl.ts';

/** What a container's interface is made from. */
export type LinkPlan = { readonly mac?: string; readonly mtu?: number } & (
  | {
      readonly kind: 'bridge';
      readonly bridge: string;
      /** No frames to other isolated containers on the bridge. */
      readonly isolated?: boolean;
    }
  | { readonly kind: 'macvlan'; readonly parent: string; readonly mode: MacvlanMode }
);

/** An interface of a container and its addresses. */
export interface EndpointPlan {
  /** Inside: `eth0`. */
  readonly interfaceName: string;
  readonly link: LinkPlan;
  /** With the prefix length: `172.17.0.2/16`. */
  readonly addresses: readonly string[];
}

/** Where packets go that no interface is for; an absent one means nowhere. */
export interface Gateways {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

const LOOPBACK = 1;

/**
 * The network namespace of a container, held by a descriptor. The engine closes it when the container's process is in
 * it: from then on it lives and ends with that process, and is found again through it.
 */
export class Sandbox {
  readonly fd: number;
  readonly #inside: NetlinkSocket;
  #closed = false;

  private constructor(fd: number, inside: NetlinkSocket) {
    this.fd = fd;
    this.#inside = inside;
  }

  /** An empty one. IPv6 is off for interfaces to come, and no neighbour can advertise routes to them. */
  static create(): Sandbox {
    const { fd, made } = makeNamespace(() => {
      const socket = new NetlinkSocket();
      try {
        writeSysctl('ipv6/conf/default/disable_ipv6', '1');
        writeSysctl('ipv6/conf/default/accept_ra', '0');
        socket.demand('link up lo', [changeLink(LOOPBACK, { up: true })]);
        return socket;
      } catch (error) {
        socket.close();
        throw error;
      }
    });
    return new Sandbox(fd, made);
  }

  /** That of a process which was seen. @returns undefined when it is gone */
  static ofProcess(identity: ProcessIdentity): Sandbox | undefined {
    let fd: number;
    try {
      fd = openSync(`/proc/${identity.pid}/ns/net`, 'r');
    } catch {
      return undefined;
    }
    // Whatever has the pid now, if it is still the one that was seen, it was it when the file was opened.
    if (!isRunning(identity)) {
      closeSync(fd);
      return undefined;
    }
    try {
      return new Sandbox(
        fd,
        inNamespace(fd, () => new NetlinkSocket()),
      );
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** A path by which a process of this machine can enter, as long as the sandbox is open. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  /** Does something synchronous in it. */
  inside<T>(work: () => T): T {
    return inNamespace(this.fd, work);
  }

  /** Makes an interface, ready for use. @throws NetlinkFailure; then nothing of it stays */
  attach(host: NetlinkSocket, group: number, endpoint: EndpointPlan): { readonly mac: string } {
    const { interfaceName, link, addresses } = endpoint;
    const mac = macOf(endpoint);
    const inner: LinkAttributes = {
      name: interfaceName,
      group,
      namespaceFd: this.fd,
      mac: parseMac(mac),
      ...(link.mtu ? { mtu: link.mtu } : {}),
    };
    if (link.kind === 'bridge') attachToBridge(host, group, link, inner);
    else {
      const parent = linkNamed(host, link.parent);
      if (!parent) throw new Error(`no such network interface: ${link.parent}`);
      host.demand('link add macvlan', [createMacvlan(inner, parent.index, link.mode)]);
    }
    const made = linkNamed(this.#inside, interfaceName);
    if (!made) throw new Error(`the interface ${interfaceName} vanished`);
    try {
      if (addresses.some((address) => address.includes(':'))) this.#enableV6(interfaceName);
      this.#inside.demand('addr add', [
        ...addresses.map((address) => addressRequest(made.index, address)),
        changeLink(made.index, { up: true }),
      ]);
      return { mac };
    } catch (error) {
      this.#inside.demand('link delete', [deleteLink(made.index)], ['ENODEV']);
      throw error;
    }
  }

  /**
   * Makes its interfaces those of a list: of the group's own, others go, and what is missing is made. Interfaces that
   * the container made itself stay.
   * @returns whether anything was not as it should be
   */
  async settle(host: NetlinkSocket, group: number, endpoints: readonly EndpointPlan[]): Promise<boolean> {
    const wanted = new Set(endpoints.map(({ interfaceName }) => interfaceName));
    const links = this.links();
    const surplus = links.filter((link) => link.group === group && !wanted.has(link.name));
    for (const { name } of surplus) await this.detach(name);
    const present = new Set(links.map(({ name }) => name));
    const missing = endpoints.filter(({ interfaceName }) => !present.has(interfaceName));
    for (const endpoint of missing) this.attach(host, group, endpoint);
    return surplus.length + missing.length > 0;
  }

  /** Takes an interface away; a thread waits until the kernel has let go of it. Idempotent. */
  async detach(interfaceName: string): Promise<void> {
    const link = linkNamed(this.#inside, interfaceName);
    if (!link) return;
    const socket = this.inside(() => new NetlinkSocket());
    try {
      await socket.demandInThread('link delete', [deleteLink(link.index)], ['ENODEV']);
    } finally {
      socket.close();
    }
  }

  /** Sets or removes the default routes. */
  setGateways({ ipv4, ipv6 }: Gateways): void {
    const request = (family: 4 | 6, gateway: string | undefined) =>
      gateway ? replaceRoute({ family, gateway: ipBytes(parseIp(gateway)) }) : removeRoute({ family });
    this.#inside.demand('route replace default', [request(4, ipv4), request(6, ipv6)], ['ESRCH', 'EAFNOSUPPORT']);
  }

  /** Its interfaces, with counters as the container sees them. */
  links(): readonly Link[] {
    return this.#inside.dump('link list', dumpLinks()).flatMap((reply) => parseLink(reply) ?? []);
  }

  /** Lets go of it. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inside.close();
    closeSync(this.fd);
  }

  #enableV6(interfaceName: string): void {
    this.inside(() => writeSysctl(`ipv6/conf/${interfaceName}/disable_ipv6`, '0'));
  }
}

function attachToBridge(
  host: NetlinkSocket,
  group: number,
  link: Extract<LinkPlan, { kind: 'bridge' }>,
  inner: LinkAttributes,
): void {
  const bridge = linkNamed(host, link.bridge);
  if (!bridge) throw new Error(`no such network interface: ${link.bridge}`);
  const name = `veth${randomBytes(4).toString('hex').slice(0, 7)}`;
  const outer = { name, group, master: bridge.index, up: true, ...(link.mtu ? { mtu: link.mtu } : {}) };
  // The bridge's name stays with the port, so that a bridge that somebody removed gets its ports back.
  host.demand('link add veth', [createVeth(outer, inner), labelLink(name, link.bridge)]);
  // Where bridged packets pass the rules of IP, what a container sends to a port of its own comes back the same way.
  const hairpin = readSysctl('bridge/bridge-nf-call-iptables') === '1';
  if (hairpin || link.isolated) {
    host.demand('link set port', [changeBridgePort(name, { hairpin, isolated: link.isolated ?? false })]);
  }
}

/** The one that was asked for, or one by the IPv4 address, or else any. */
function macOf({ link, addresses }: EndpointPlan): string {
  if (link.mac) return formatMac(parseMac(link.mac));
  const ipv4 = addresses.find((address) => !address.includes(':'));
  return ipv4 ? macOfIp(ipv4.split('/')[0]!) : formatMac(Buffer.concat([Buffer.from([0x02]), randomBytes(5)]));
}

function addressRequest(index: number, text: string): Request {
  const [address = '', length = ''] = text.split('/');
  return addAddress({ index, address: ipBytes(parseIp(address)), prefixLength: Number(length) });
}

export function linkNamed(socket: NetlinkSocket, name: string): Link | undefined {
  return socket.find(getLink(name)).flatMap((reply) => parseLink(reply) ?? [])[0];
}
