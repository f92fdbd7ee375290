import type { ContainerNetwork, EndpointRecord, NetworkRecord } from '../networks/record.ts';
import type { Container } from './container.ts';
import { DEFAULT_NETWORK } from './network-plan.ts';

const noNetworks: ContainerNetwork = { mode: { kind: 'none' }, endpoints: [], ports: [], published: [] };

/** What is kept of a container's networks. Records of earlier versions say only whether it is on the host's. */
export function networkOf({ record }: Container): ContainerNetwork {
  if (record.network) return record.network;
  return { ...noNetworks, mode: { kind: record.launch.network === 'host' ? 'host' : 'none' } };
}

export function setEndpoint(container: Container, endpoint: EndpointRecord): void {
  const network = networkOf(container);
  const at = network.endpoints.findIndex((one) => one.network === endpoint.network);
  setNetwork(container, {
    ...network,
    endpoints: at < 0 ? [...network.endpoints, endpoint] : network.endpoints.with(at, endpoint),
  });
}

export function setNetwork(container: Container, network: ContainerNetwork): void {
  container.record = { ...container.record, network };
}

/** Names by which neighbours in a network find a container: its own, its aliases, its short id. */
export function dnsNames({ record, shortId }: Container, { networkName, aliases }: EndpointRecord): readonly string[] {
  if (networkName === DEFAULT_NETWORK) return [];
  return [...new Set([record.name, ...aliases, shortId])];
}

export function gatewayOf({ subnets }: NetworkRecord, family: 4 | 6): string | undefined {
  return subnets.find(({ subnet }) => subnet.includes(':') === (family === 6))?.gateway;
}
