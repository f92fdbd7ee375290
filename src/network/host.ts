import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '../linux/index.ts';
import { AddressPool, type SubnetConfig } from './address/pool.ts';
import { completeSubnet, freeSubnet, localV6Pool, refuseOverlap, type SubnetRequest } from './address/subnets.ts';
import { bridgesOf, ensureBridge, hostRoutes, removeBridge, uplinkMtu } from './bridges.ts';
import type { Names } from './dns/container-names.ts';
import { type DnsOptions, serveDns } from './dns/serve.ts';
import { openDnsSockets, RESOLVER_ADDRESS } from './dns/sockets.ts';
import { Firewall } from './firewall/firewall.ts';
import { ForwardPolicy } from './firewall/forward-policy.ts';
import { SandboxPool } from './namespace/pool.ts';
import { type EndpointPlan, linkNamed, Sandbox } from './namespace/sandbox.ts';
import { readSysctl } from './namespace/sysctl.ts';
import { NetlinkSocket } from './netlink/socket.ts';
import { getTable, NETLINK_NETFILTER } from './netlink/tables.ts';
import { type PortRequest, PortTable } from './ports/plan.ts';
import { type Publication, Publisher, type PublishTarget } from './ports/publisher.ts';

export interface NetworkHostOptions {
  /** Text that is the engine's own and stays so, as the path of its data: several engines share one machine. */
  readonly engine: string;
  readonly log: (line: string) => void;
}

/** A network of the engine as a bridge of the host. Addresses and prefixes in text form. */
export interface BridgeNetwork {
  readonly bridge: string;
  readonly subnets: readonly SubnetConfig[];
  readonly mtu?: number;
  /** Nothing goes out of it or comes in. */
  readonly internal: boolean;
  /** Whether its containers may talk to each other. */
  readonly neighbours: boolean;
  /** Whether what leaves it has the host's address. */
  readonly masquerade: boolean;
}

const PREPARED_SANDBOXES = 2;
/** How soon is noticed that another program drops our packets, or flushed our rules. */
const POLICY_CHECK_MS = 5000;
const USUAL_MTU = 1500;
const EPHEMERAL = { first: 32768, last: 60999 };

/** Opens the host's side of the networks. Nothing is made before it is needed. */
export function openNetworkHost(options: NetworkHostOptions): NetworkHost {
  return new NetworkHost(options);
}

/**
 * Bridges, namespaces, rules and addresses of one engine. Everything of it can be told from what others have: interfaces
 * by their group, rules by their table. What belongs to a container ends with its process; the rest is swept at a start.
 */
export class NetworkHost {
  readonly #table: string;
  readonly #group: number;
  readonly #firewall: Firewall;
  readonly #policy: ForwardPolicy;
  readonly #publisher: Publisher;
  readonly #pool = new SandboxPool(PREPARED_SANDBOXES);
  readonly #log: (line: string) => void;
  readonly #engine: string;
  #socket: NetlinkSocket | undefined;
  #watch: NodeJS.Timeout | undefined;
  #mtu: number | undefined;

  constructor({ engine, log }: NetworkHostOptions) {
    const hash = createHash('sha256').update(engine).digest('hex').slice(0, 8);
    this.#engine = engine;
    this.#log = log;
    this.#table = `berth_${hash}`;
    // Groups are any numbers; small ones are what people choose.
    this.#group = (Number.parseInt(hash, 16) | 0x10000) >>> 0;
    this.#firewall = new Firewall(this.#table);
    this.#policy = new ForwardPolicy(() => this.#firewall.nft, this.#table);
    this.#publisher = new Publisher(this.#firewall, new PortTable(dynamicPorts()));
  }

  /** The interface of the default network. */
  get defaultBridge(): string {
    return this.#table.replace('_', '-');
  }

  /** The host's own list of name servers: behind a resolver on its loopback, that resolver's. */
  resolvConf(): string {
    const text = readText('/etc/resolv.conf');
    return text.includes('nameserver 127.0.0.53') ? readText('/run/systemd/resolve/resolv.conf') || text : text;
  }

  get resolverAddress(): string {
    return RESOLVER_ADDRESS;
  }

  /** Answers questions for names from inside a sandbox, until the signal. */
  async serveNames(
    sandbox: Sandbox,
    { signal, upstream, ...names }: Names & Pick<DnsOptions, 'upstream' | 'signal'>,
  ): Promise<void> {
    await serveDns({ ...sandbox.inside(openDnsSockets), names, upstream, signal });
  }

  /** The addresses of a subnet, all free but those that are its own. @throws BerthError `invalid` */
  openAddresses(config: SubnetConfig): AddressPool {
    return new AddressPool(config);
  }

  /**
   * Decides what a request leaves open.
   * @param networks subnets that are taken; what the host has routes to is only avoided, not refused
   * @throws BerthError `invalid`, `exhausted`, and `forbidden` for an overlap
   */
  planSubnet(
    request: SubnetRequest & { readonly family: 4 | 6 },
    networks: readonly { readonly name: string; readonly subnet: string }[],
  ): SubnetConfig {
    if (request.subnet !== undefined) {
      const config = completeSubnet({ ...request, subnet: request.subnet });
      refuseOverlap(config.subnet, networks);
      return config;
    }
    const own = new Set(this.#firewall.bridges.map(({ name }) => name));
    const used = [...networks.map(({ subnet }) => subnet), ...hostRoutes(this.#netlink, own)];
    const subnet = request.family === 4 ? freeSubnet(used) : freeSubnet(used, [localV6Pool(this.#engine)]);
    return completeSubnet({ ...request, subnet });
  }

  /** Makes the bridge of a network and its rules. Idempotent. @throws BerthError */
  ensureBridge(network: BridgeNetwork): void {
    const { bridge, subnets } = network;
    if (this.#firewall.bridges.some(({ name }) => name === bridge) && linkNamed(this.#netlink, bridge)) return;
    const addresses = subnets.map(({ subnet, gateway }) => `${gateway}/${subnet.split('/')[1]}`);
    ensureBridge(this.#netlink, this.#group, { name: bridge, addresses, mtu: network.mtu ?? this.#usualMtu });
    this.#firewall.addBridge({
      name: bridge,
      subnets: subnets.map(({ subnet }) => subnet),
      internal: network.internal,
      neighbours: network.neighbours,
      masquerade: network.masquerade,
    });
    this.#passForeignFilters();
  }

  /** Idempotent; a bridge that others made stays. */
  async removeBridge(bridge: string): Promise<void> {
    this.#firewall.removeBridge(bridge);
    this.#passForeignFilters();
    await removeBridge(this.#group, bridge);
  }

  /** A network namespace for a container to come. The caller closes it when the container's process is there. */
  openSandbox(): Sandbox {
    return this.#pool.take();
  }

  /** The network namespace of a process. @returns undefined when it is gone */
  enterSandbox(process: ProcessIdentity): Sandbox | undefined {
    return Sandbox.ofProcess(process);
  }

  /** Gives a sandbox an interface. */
  attach(sandbox: Sandbox, endpoint: EndpointPlan): { readonly mac: string } {
    return sandbox.attach(this.#netlink, this.#group, this.#withMtu(endpoint));
  }

  /**
   * Gives a sandbox the interfaces of a list and no others, but for those that the container made itself.
   * @returns whether anything was not as it should be
   */
  async settle(sandbox: Sandbox, endpoints: readonly EndpointPlan[]): Promise<boolean> {
    return await sandbox.settle(
      this.#netlink,
      this.#group,
      endpoints.map((endpoint) => this.#withMtu(endpoint)),
    );
  }

  /** Publishes all or nothing. @throws BerthError `conflict` that names who has the port */
  async publish(requests: readonly PortRequest[], target: PublishTarget): Promise<Publication> {
    return await this.#publisher.publish(requests, target);
  }

  /**
   * Takes over from an earlier engine: `add` ensures the bridges and publishes the ports of containers that still run.
   * Then the rules say exactly that, and bridges that no network in `known` has are gone.
   */
  async recover(known: ReadonlySet<string>, add: () => Promise<void>): Promise<void> {
    const left = bridgesOf(this.#netlink, this.#group);
    if (left.length === 0 && !hasTable(this.#table)) {
      await add();
      return;
    }
    await this.#firewall.restore(add);
    const live = new Set(this.#firewall.bridges.map(({ name }) => name));
    await Promise.all(
      left.filter((name) => !known.has(name) || !live.has(name)).map((name) => removeBridge(this.#group, name)),
    );
    this.#passForeignFilters();
  }

  /** Makes what nobody asked for yet go away: prepared namespaces. */
  rest(): void {
    this.#pool.drain();
  }

  /** @param keep containers run on: bridges and rules stay for them */
  async close({ keep }: { readonly keep: boolean }): Promise<void> {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#pool.close();
    this.#publisher.close();
    const bridges = this.#firewall.bridges.map(({ name }) => name);
    if (!keep && bridges.length > 0) {
      this.#policy.apply([]);
      this.#firewall.clear();
      await Promise.all(bridges.map((name) => removeBridge(this.#group, name)));
    }
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** Ports of a bridge that take larger packets than it has would lose those without a word. */
  #withMtu(endpoint: EndpointPlan): EndpointPlan {
    const { link } = endpoint;
    return link.kind === 'bridge' && !link.mtu ? { ...endpoint, link: { ...link, mtu: this.#usualMtu } } : endpoint;
  }

  /** What goes out by the host's default route unbroken, at most the usual 1500. */
  get #usualMtu(): number {
    this.#mtu ??= Math.min(USUAL_MTU, uplinkMtu(this.#netlink) ?? USUAL_MTU);
    return this.#mtu;
  }

  get #netlink(): NetlinkSocket {
    this.#socket ??= new NetlinkSocket();
    return this.#socket;
  }

  /** Now, and again from time to time: a firewall may be started, or started anew, at any moment. */
  #passForeignFilters(): void {
    const bridges = this.#firewall.bridges.map(({ name }) => name);
    try {
      this.#policy.apply(bridges);
    } catch (error) {
      this.#log(`the host's filter may drop packets of containers: ${(error as Error).message}`);
    }
    if (bridges.length === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    } else this.#watch ??= setInterval(() => this.#checkRules(), POLICY_CHECK_MS).unref();
  }

  #checkRules(): void {
    try {
      this.#firewall.mend(() => hasTable(this.#table));
    } catch (error) {
      this.#log(`the rules of networks were flushed, and cannot be made anew: ${(error as Error).message}`);
    }
    this.#passForeignFilters();
  }
}

function dynamicPorts(): { readonly first: number; readonly last: number } {
  const [first, last] = (readSysctl('ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number);
  return first && last && first < last ? { first, last } : EPHEMERAL;
}

/** Asked without nft, which takes ten milliseconds to load and is mostly not needed at a start. */
function hasTable(name: string): boolean {
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    return socket.find(getTable(name)).length > 0;
  } finally {
    socket.close();
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
