import type { LinkRecord } from './links.ts';

/** A subnet as the machine's side of networks decided it. */
export interface SubnetRecord {
  readonly subnet: string;
  readonly gateway: string;
  readonly range?: string;
  readonly auxiliary?: Readonly<Record<string, string>>;
}

export type NetworkDriver = 'bridge' | 'macvlan' | 'host' | 'null';

/** A network as it is kept on disk. */
export interface NetworkRecord {
  readonly format: 1;
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly driver: NetworkDriver;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipv6: boolean;
  readonly subnets: readonly SubnetRecord[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A container's place in a network: what it asked for, and what it has while it runs. */
export interface EndpointRecord {
  readonly network: string;
  /** The network's name, for when it is gone. */
  readonly networkName: string;
  readonly aliases: readonly string[];
  readonly links: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly mac?: string;
  readonly options: Readonly<Record<string, string>>;
  /** The default route goes through the network with the highest. */
  readonly gatewayPriority: number;
  readonly live?: LiveEndpoint;
}

export interface LiveEndpoint {
  readonly id: string;
  readonly interfaceName: string;
  readonly mac: string;
  /** With the prefix length. */
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** A port of the container that is to be had on the host. */
export interface PortWish {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly containerPort: number;
  /** Empty: every address of the host. */
  readonly hostIp: string;
  readonly hostPorts?: { readonly first: number; readonly last: number };
}

export interface HostPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
}

/** What a container has of networks: a mode that shares somebody's, or places in networks of its own. */
export interface ContainerNetwork {
  readonly mode:
    | { readonly kind: 'host' | 'none' | 'networks' }
    | { readonly kind: 'container'; readonly container: string };
  readonly endpoints: readonly EndpointRecord[];
  readonly ports: readonly PortWish[];
  readonly published: readonly HostPort[];
  readonly links?: readonly LinkRecord[];
}

/** The part of an address before the prefix length. */
export function plainAddress(address: string): string {
  return address.split('/')[0] ?? '';
}
