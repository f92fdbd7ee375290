import { randomBytes } from 'node:crypto';
import { BerthError } from '../../errors/index.ts';
import { networkOptions } from '../networks/create.ts';
import type { EndpointRequest, NetworkSandbox } from '../networks/network-host.ts';
import type { Member } from '../networks/networks.ts';
import {
  type ContainerNetwork,
  type EndpointRecord,
  type LiveEndpoint,
  type NetworkRecord,
  plainAddress,
} from '../networks/record.ts';
import type { ContainerSpec, RunningProcess } from '../ports.ts';
import type { Container, ContainersContext } from './container.ts';
import { dnsNames, gatewayOf, networkOf, setEndpoint, setNetwork } from './container-network.ts';
import { namesOf, ownNames } from './host-files.ts';
import { linkedTo, linkVariables } from './links.ts';
import { endNames, serveNames } from './name-service.ts';

/** A start's part in networks: what the process gets, and the namespace that is held until the process is in it. */
export interface JoinedNetworks {
  readonly spec: Pick<ContainerSpec, 'network' | 'names'>;
  /** Variables that tell of linked containers. */
  readonly variables?: readonly string[];
  /** Idempotent. */
  release(): void;
}

/**
 * Gives a container that is about to run its interfaces, addresses and ports. `leaveNetworks` undoes it.
 * @throws BerthError when an address or port is not to be had, or a network is gone
 */
export async function joinNetworks(context: ContainersContext, container: Container): Promise<JoinedNetworks> {
  const { mode } = networkOf(container);
  if (mode.kind === 'host' || mode.kind === 'none') {
    return { spec: { network: mode.kind, ...ownNames(context, container) }, release: () => undefined };
  }
  if (mode.kind === 'container') return { spec: shareNetwork(context, mode.container), release: () => undefined };
  resolveEndpoints(context, container);
  const variables = linkVariables(context, container);
  const sandbox = context.ports.networks.openSandbox();
  try {
    for (const endpoint of networkOf(container).endpoints) await enter(context, container, sandbox, endpoint);
    chooseGateways(context, container, sandbox);
    await publish(context, container);
    await serveNames(context, container, sandbox);
    const names = namesOf(context, container);
    tellLinked(context, container);
    return { spec: { network: { namespacePath: sandbox.path }, names }, variables, release: () => sandbox.close() };
  } catch (error) {
    sandbox.close();
    leaveNetworks(context, container);
    throw error;
  }
}

/** Networks that were only names when the container was made. @throws BerthError `not-found` */
function resolveEndpoints({ networks }: ContainersContext, container: Container): void {
  const network = networkOf(container);
  const endpoints = network.endpoints.map((endpoint) => {
    const { id, name } = networks.get(endpoint.network);
    return { ...endpoint, network: id, networkName: name };
  });
  setNetwork(container, { ...network, endpoints });
}

/** Who is linked to a container finds it at the address that it has now. */
function tellLinked(context: ContainersContext, container: Container): void {
  for (const other of linkedTo(context, container)) {
    if (other.run) context.ports.runtime.writeNames?.(other.run.process, namesOf(context, other));
  }
}

/** Gives back what a container had of networks; its interfaces ended with its process. Idempotent. */
export function leaveNetworks(context: ContainersContext, container: Container): void {
  endNames(container);
  for (const published of container.published.splice(0)) published.withdraw();
  for (const endpoint of networkOf(container).endpoints) forget(context, container, endpoint);
  if (container.record.network) setNetwork(container, { ...container.record.network, published: [] });
}

export function memberOf(container: Container, endpoint: EndpointRecord, live: LiveEndpoint): Member {
  return { name: container.record.name, names: dnsNames(container, endpoint), endpoint: live };
}

/** Leads the ports that a container has on the host to the address that it has now. */
export function redirectPorts(container: Container): void {
  for (const published of container.published) published.redirect(publishTarget(container));
}

/** Makes an interface of a container in one more network. @throws BerthError */
export async function enter(
  context: ContainersContext,
  container: Container,
  sandbox: NetworkSandbox,
  endpoint: EndpointRecord,
): Promise<void> {
  const { networks, ports } = context;
  const record = await networks.ready(networks.get(endpoint.network));
  networks.ensure(record);
  const addresses = networks.addresses.take(record, endpoint);
  try {
    const request = endpointRequest(context, record, endpoint, {
      interfaceName: freeName(networkOf(container).endpoints),
      addresses: [addresses.ipv4, addresses.ipv6].filter((address) => address !== undefined),
    });
    const { mac } = ports.networks.attach(sandbox, request);
    const live: LiveEndpoint = {
      id: randomBytes(32).toString('hex'),
      interfaceName: request.interfaceName,
      mac,
      ...addresses,
    };
    setEndpoint(container, { ...endpoint, live });
    networks.join(record, container.id, memberOf(container, endpoint, live));
  } catch (error) {
    networks.addresses.release(record, addresses);
    throw error;
  }
}

/** The network's part of a container's end, or of a disconnect. */
export function forget(context: ContainersContext, container: Container, { live, ...endpoint }: EndpointRecord): void {
  if (!live) return;
  const record = context.networks.find(endpoint.network);
  if (record) context.networks.leave(record, container.id);
  setEndpoint(container, endpoint);
}

/** The default route goes through one of the networks: that with the highest priority, else the first by name. */
export function chooseGateways(context: ContainersContext, container: Container, sandbox: NetworkSandbox): void {
  const candidates = networkOf(container)
    .endpoints.filter(({ live }) => live)
    .map((endpoint) => ({ endpoint, record: context.networks.find(endpoint.network) }))
    .filter(({ record }) => record && !record.internal)
    .sort((a, b) => b.endpoint.gatewayPriority - a.endpoint.gatewayPriority || byName(a.endpoint, b.endpoint));
  const gateway = (family: 4 | 6) =>
    candidates.map(({ record }) => gatewayOf(record!, family)).find((address) => address !== undefined);
  const [ipv4, ipv6] = [gateway(4), gateway(6)];
  sandbox.setGateways({ ...(ipv4 ? { ipv4 } : {}), ...(ipv6 ? { ipv6 } : {}) });
}

async function publish(context: ContainersContext, container: Container): Promise<void> {
  const network = networkOf(container);
  if (network.ports.length === 0) return;
  // On networks that are cut off from outside, ports are not published: nobody could answer.
  if (network.endpoints.every((endpoint) => context.networks.find(endpoint.network)?.internal)) return;
  const defaultIp = defaultHostIp(context, network);
  const wishes = network.ports.map((wish) => (wish.hostIp === '' ? { ...wish, hostIp: defaultIp } : wish));
  const published = await context.ports.networks.publish(wishes, publishTarget(container)).catch((error) => {
    if (!(error instanceof BerthError)) throw error;
    throw new BerthError(
      error.kind,
      `failed to set up container networking: driver failed programming external connectivity on endpoint ${container.record.name}: ${error.message}`,
      { cause: error, ...(error.hint ? { hint: error.hint } : {}) },
    );
  });
  container.published.push(published);
  setNetwork(container, { ...networkOf(container), published: published.ports });
}

/** The address that a network publishes on when a port names none; `0.0.0.0` means all, of both families. */
function defaultHostIp(context: ContainersContext, { endpoints }: ContainerNetwork): string {
  const address = context.networks.find(endpoints[0]?.network ?? '')?.options[networkOptions.hostAddress] ?? '';
  return address === '0.0.0.0' ? '' : address;
}

/** Where published ports lead. */
export function publishTarget(container: Container): { readonly ipv4?: string; readonly ipv6?: string } {
  const live = networkOf(container).endpoints.flatMap((endpoint) => endpoint.live ?? []);
  const ipv4 = live.find((endpoint) => endpoint.ipv4)?.ipv4;
  const ipv6 = live.find((endpoint) => endpoint.ipv6)?.ipv6;
  return { ...(ipv4 ? { ipv4: plainAddress(ipv4) } : {}), ...(ipv6 ? { ipv6: plainAddress(ipv6) } : {}) };
}

export function endpointRequest(
  { networks }: ContainersContext,
  record: NetworkRecord,
  { mac }: EndpointRecord,
  place: Pick<EndpointRequest, 'interfaceName' | 'addresses'>,
): EndpointRequest {
  const mtu = record.options[networkOptions.mtu];
  const link = { ...(mac ? { mac } : {}), ...(mtu ? { mtu: Number(mtu) } : {}) };
  if (record.driver === 'macvlan') {
    const mode = (record.options['macvlan_mode'] ?? 'bridge') as 'bridge';
    return { ...place, link: { ...link, kind: 'macvlan', parent: record.options['parent'] ?? '', mode } };
  }
  const isolated = record.options[networkOptions.neighbours] === 'false';
  return { ...place, link: { ...link, kind: 'bridge', bridge: networks.bridgeOf(record), isolated } };
}

/** `eth0`, or the next that the container does not have. */
function freeName(endpoints: readonly EndpointRecord[]): string {
  const taken = new Set(endpoints.map(({ live }) => live?.interfaceName));
  for (let number = 0; ; number += 1) if (!taken.has(`eth${number}`)) return `eth${number}`;
}

function shareNetwork(context: ContainersContext, ref: string): JoinedNetworks['spec'] {
  const other = context.table.get(ref);
  const process: RunningProcess | undefined = other.run?.process;
  if (!process) throw new BerthError('conflict', `cannot join network of a non running container: ${other.id}`);
  return {
    network: { namespacePath: `/proc/${process.pid}/ns/net` },
    ...(networkOf(other).mode.kind === 'networks' ? { names: namesOf(context, other) } : ownNames(context, other)),
  };
}

function byName(a: EndpointRecord, b: EndpointRecord): number {
  return a.networkName < b.networkName ? -1 : 1;
}
