import { BerthError } from '../../errors/index.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { PortRule } from '../firewall/ruleset.ts';
import { forgetDatagrams } from './flows.ts';
import { type Forwarder, forwardTcp, forwardUdp } from './forwarder.ts';
import { portOwner } from './owner.ts';
import { ANY_V4, ANY_V6, type Claim, hostAddresses, type PortRequest, type PortTable, portsTaken } from './plan.ts';

/** A port of a container that the host has. */
export interface PublishedPort extends Claim {
  readonly containerPort: number;
}

/** The addresses of a container that published ports lead to. */
export interface PublishTarget {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** What is published for one container. */
export interface Publication {
  readonly ports: readonly PublishedPort[];
  /** Leads the ports to other addresses; those that are open stay so. */
  redirect(target: PublishTarget): void;
  /** Idempotent. */
  withdraw(): void;
  /** Lets go of the sockets, and leaves the rules: the container runs on without this engine. */
  abandon(): void;
}

interface Held {
  readonly port: PublishedPort;
  readonly forwarder: Forwarder | undefined;
}

/** Gives ports of the host to containers: a rule that leads packets there, and a socket that keeps others from the port. */
export class Publisher {
  readonly #firewall: Firewall;
  readonly #table: PortTable;
  readonly #held = new Set<Held>();

  constructor(firewall: Firewall, table: PortTable) {
    this.#firewall = firewall;
    this.#table = table;
  }

  /**
   * Publishes all or nothing.
   * @throws BerthError `conflict` when a port is taken, by a container or by another process, which is named
   */
  async publish(requests: readonly PortRequest[], target: PublishTarget): Promise<Publication> {
    const held: Held[] = [];
    let current = target;
    const find = () => current;
    try {
      // One after the other: a request without a port must see what the ones before it got.
      for (const request of requests) held.push(...(await this.#hold(request, find)));
      let rules = held.flatMap(({ port }) => ruleOf(port, target));
      this.#firewall.addPorts(rules);
      const ports = held.map(({ port }) => port);
      forgetDatagrams(datagramPorts(ports));
      const letGo = (removeRules: boolean) => {
        const mine = held.splice(0);
        if (mine.length === 0) return;
        if (removeRules) this.#firewall.removePorts(rules);
        this.#letGo(mine);
        if (removeRules) forgetDatagrams(datagramPorts(ports));
      };
      const redirect = (other: PublishTarget) => {
        if (held.length === 0 || (other.ipv4 === current.ipv4 && other.ipv6 === current.ipv6)) return;
        current = other;
        const before = rules;
        rules = ports.flatMap((port) => ruleOf(port, other));
        this.#firewall.replacePorts(before, rules);
        forgetDatagrams(datagramPorts(ports));
      };
      return { ports, redirect, withdraw: () => letGo(true), abandon: () => letGo(false) };
    } catch (error) {
      this.#letGo(held);
      throw error;
    }
  }

  /** Lets go of all sockets; what is published stays so. */
  close(): void {
    this.#letGo([...this.#held]);
  }

  async #hold(request: PortRequest, find: () => PublishTarget): Promise<readonly Held[]> {
    let refusal: BerthError | undefined;
    for (const hostPort of this.#table.candidates(request)) {
      try {
        return await this.#holdPort(request, hostPort, find);
      } catch (error) {
        refusal = refused(error, request, hostPort);
        // Other ports of an address that does not exist are no better.
        if (refusal.kind !== 'conflict') break;
      }
    }
    throw refusal ?? portsTaken(request);
  }

  /** One port on each address of the request. A host without IPv6 does without that, unless it was asked for by name. */
  async #holdPort(request: PortRequest, hostPort: number, find: () => PublishTarget): Promise<readonly Held[]> {
    const { protocol, containerPort } = request;
    const held: Held[] = [];
    // Claimed before the first wait: another container may be looking for a port at the same time.
    const ports = hostAddresses(request).map((hostIp) => ({ protocol, hostIp, hostPort, containerPort }));
    for (const port of ports) this.#table.add(port);
    try {
      for (const port of ports) {
        try {
          const one = { port, forwarder: await open(port, find) };
          this.#held.add(one);
          held.push(one);
        } catch (error) {
          if (request.hostIp !== '' || port.hostIp !== ANY_V6 || !isWithoutV6(error)) throw error;
          this.#table.delete(port);
        }
      }
      return held;
    } catch (error) {
      this.#letGo(held);
      for (const port of ports) this.#table.delete(port);
      throw error;
    }
  }

  #letGo(held: readonly Held[]): void {
    for (const one of held) {
      if (!this.#held.delete(one)) continue;
      one.forwarder?.close();
      this.#table.delete(one.port);
    }
  }
}

/** Node has no sockets for SCTP: its ports are led by rules alone. */
async function open(
  { protocol, hostIp, hostPort, containerPort }: PublishedPort,
  find: () => PublishTarget,
): Promise<Forwarder | undefined> {
  if (protocol === 'sctp') return undefined;
  return await (protocol === 'tcp' ? forwardTcp : forwardUdp)(hostIp, hostPort, () => {
    const { ipv4, ipv6 } = find();
    const ip = hostIp.includes(':') ? (ipv6 ?? ipv4) : (ipv4 ?? ipv6);
    return ip === undefined ? undefined : { ip, port: containerPort };
  });
}

function datagramPorts(ports: readonly PublishedPort[]): ReadonlySet<number> {
  return new Set(ports.filter(({ protocol }) => protocol === 'udp').map(({ hostPort }) => hostPort));
}

function ruleOf({ protocol, hostIp, hostPort, containerPort }: PublishedPort, target: PublishTarget): PortRule[] {
  const family = hostIp.includes(':') ? 6 : 4;
  const containerIp = family === 4 ? target.ipv4 : target.ipv6;
  if (containerIp === undefined) return [];
  const any = hostIp === ANY_V4 || hostIp === ANY_V6;
  return [{ protocol, family, ...(any ? {} : { hostIp }), hostPort, containerIp, containerPort }];
}

function isWithoutV6(error: unknown): boolean {
  return ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function refused(error: unknown, request: PortRequest, hostPort: number): BerthError {
  const { code } = error as NodeJS.ErrnoException;
  const { protocol } = request;
  const place = `${request.hostIp === '' ? ANY_V4 : request.hostIp}:${hostPort}`;
  if (code === 'EADDRINUSE') {
    const owner = protocol === 'sctp' ? undefined : portOwner(protocol, hostPort);
    const by = owner ? ` (by ${owner.name}, pid ${owner.pid})` : '';
    return new BerthError('conflict', `failed to bind host port ${place}/${protocol}: address already in use${by}`, {
      hint: owner ? `stop ${owner.name}, or publish another port` : 'publish another port',
      cause: error,
    });
  }
  if (code === 'EADDRNOTAVAIL') {
    return new BerthError('invalid', `failed to bind host port ${place}/${protocol}: cannot assign requested address`, {
      hint: 'the host has no such address',
      cause: error,
    });
  }
  return new BerthError('internal', `failed to bind host port ${place}/${protocol}: ${(error as Error).message}`, {
    cause: error,
  });
}
