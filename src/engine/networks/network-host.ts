import type { HostPort, PortWish, SubnetRecord } from './record.ts';

/** What the engine needs of the machine to have networks. `daemon` supplies it. */
export interface NetworkHost {
  /** The interface of the network `bridge`; engines that share a machine have different ones. */
  readonly defaultBridge: string;
  /**
   * Decides what a request for a subnet leaves open, around what others have.
   * @throws BerthError `invalid`, `exhausted`, and `forbidden` for an overlap
   */
  planSubnet(
    request: Partial<SubnetRecord> & { readonly family: 4 | 6 },
    networks: readonly { readonly name: string; readonly subnet: string }[],
  ): SubnetRecord;
  openAddresses(subnet: SubnetRecord): SubnetAddresses;
  /** Makes the bridge of a network and its rules. Idempotent. */
  ensureBridge(network: BridgeRequest): void;
  removeBridge(name: string): Promise<void>;
  openSandbox(): NetworkSandbox;
  /** That of a running process; undefined when it is gone. */
  enterSandbox(process: { readonly pid: number; readonly startTicks: string }): NetworkSandbox | undefined;
  attach(sandbox: NetworkSandbox, endpoint: EndpointRequest): { readonly mac: string };
  /** Gives a sandbox these interfaces and no others of the engine's. @returns whether anything was not as it should be */
  settle(sandbox: NetworkSandbox, endpoints: readonly EndpointRequest[]): Promise<boolean>;
  /** All or nothing. @throws BerthError `conflict` that names who has a port */
  publish(
    ports: readonly PortWish[],
    target: { readonly ipv4?: string; readonly ipv6?: string },
  ): Promise<PublishedPorts>;
  /** Replaces what an earlier engine left by what `add` makes; bridges outside of `known` go. */
  recover(known: ReadonlySet<string>, add: () => Promise<void>): Promise<void>;
  /** The host's own list of name servers. */
  resolvConf(): string;
  /** Where containers ask for names. */
  readonly resolverAddress: string;
  /** Answers questions for names from inside a sandbox, until the signal. Resolves when it does. */
  serveNames(sandbox: NetworkSandbox, service: NameService): Promise<void>;
}

/** What one container is told of names. */
export interface NameService {
  /** Addresses without prefix length. @param name in lower case, without a dot at its end */
  lookup(name: string): { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] } | undefined;
  reverse(ip: string): readonly string[] | undefined;
  /** Who is asked for other names; undefined when nobody may be. The same object as long as it says the same. */
  upstream(): Upstream | undefined;
  readonly signal: AbortSignal;
}

/** As `resolv.conf` says it. */
export interface Upstream {
  readonly servers: readonly string[];
  readonly options: readonly string[];
}

/** The addresses of one subnet. */
export interface SubnetAddresses {
  /** @throws BerthError `exhausted` */
  take(): string;
  /** @throws BerthError `invalid`, `conflict` */
  reserve(address: string): void;
  release(address: string): void;
}

export interface BridgeRequest {
  readonly bridge: string;
  readonly subnets: readonly SubnetRecord[];
  readonly mtu?: number;
  readonly internal: boolean;
  readonly neighbours: boolean;
  readonly masquerade: boolean;
}

/** A network namespace, held until it is closed. */
export interface NetworkSandbox {
  /** By which a runtime enters it, while it is held. */
  readonly path: string;
  detach(interfaceName: string): Promise<void>;
  setGateways(gateways: { readonly ipv4?: string; readonly ipv6?: string }): void;
  links(): readonly { readonly name: string; readonly mac: Uint8Array }[];
  close(): void;
}

export interface EndpointRequest {
  readonly interfaceName: string;
  /** Without a MAC address it gets one by its IPv4 address. */
  readonly link: { readonly mac?: string; readonly mtu?: number } & (
    | { readonly kind: 'bridge'; readonly bridge: string; readonly isolated?: boolean }
    | { readonly kind: 'macvlan'; readonly parent: string; readonly mode: 'private' | 'vepa' | 'bridge' | 'passthru' }
  );
  /** With the prefix length. */
  readonly addresses: readonly string[];
}

export interface PublishedPorts {
  readonly ports: readonly HostPort[];
  /** Idempotent. */
  /** Leads them to other addresses of the container, with no moment in between. */
  redirect(target: { readonly ipv4?: string; readonly ipv6?: string }): void;
  withdraw(): void;
  /** Lets go without a change to what is published. */
  abandon(): void;
}
