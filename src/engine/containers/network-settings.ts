import type { ContainerInspect } from '../../api/contract/index.ts';
import { portMap } from '../networks/ports.ts';
import { type EndpointRecord, plainAddress } from '../networks/record.ts';
import type { Container, ContainersContext } from './container.ts';
import { dnsNames, gatewayOf, networkOf } from './container-network.ts';
import { DEFAULT_NETWORK } from './network-plan.ts';

/** `NetworkSettings` of an inspect. Fields beside `Networks` and `Ports` tell of the default bridge, as clients of old expect. */
export function networkSettings(context: ContainersContext, container: Container): ContainerInspect['NetworkSettings'] {
  const { record, run } = container;
  const network = networkOf(container);
  const onDefault = network.endpoints.find(({ networkName }) => networkName === DEFAULT_NETWORK);
  const first = onDefault ? endpointBody(context, container, onDefault) : undefined;
  return {
    Bridge: '',
    SandboxID: run ? record.id : '',
    SandboxKey: run ? `/proc/${run.process.pid}/ns/net` : '',
    Ports: run ? portMap(record.config, network.published) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: first?.EndpointID ?? '',
    Gateway: first?.Gateway ?? '',
    GlobalIPv6Address: first?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: first?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: first?.IPAddress ?? '',
    IPPrefixLen: first?.IPPrefixLen ?? 0,
    IPv6Gateway: first?.IPv6Gateway ?? '',
    MacAddress: first?.MacAddress ?? '',
    Networks: networksBody(context, container),
  };
}

/** The networks of a container by name, as inspect and list show them. */
export function networksBody(context: ContainersContext, container: Container): Readonly<Record<string, object>> {
  const { mode, endpoints } = networkOf(container);
  if (mode.kind === 'container') return {};
  if (mode.kind === 'networks') {
    return Object.fromEntries(endpoints.map((one) => [one.networkName, endpointBody(context, container, one)]));
  }
  const none: EndpointRecord = {
    network: context.networks.find(mode.kind)?.id ?? '',
    networkName: mode.kind,
    aliases: [],
    links: [],
    options: {},
    gatewayPriority: 0,
  };
  return { [mode.kind]: endpointBody(context, container, none) };
}

function endpointBody(context: ContainersContext, container: Container, endpoint: EndpointRecord) {
  const { live, ipv4, ipv6, mac, aliases, links, options, gatewayPriority } = endpoint;
  const record = live && context.networks.find(endpoint.network);
  const names = dnsNames(container, endpoint);
  const [gateway4, gateway6] = [record && gatewayOf(record, 4), record && gatewayOf(record, 6)];
  return {
    IPAMConfig:
      ipv4 || ipv6 ? { ...(ipv4 ? { IPv4Address: ipv4 } : {}), ...(ipv6 ? { IPv6Address: ipv6 } : {}) } : null,
    Links: links.length > 0 ? links : null,
    Aliases: aliases.length > 0 ? aliases : null,
    MacAddress: live?.mac ?? mac ?? '',
    DriverOpts: Object.keys(options).length > 0 ? options : null,
    GwPriority: gatewayPriority,
    NetworkID: endpoint.network,
    EndpointID: live?.id ?? '',
    Gateway: (live?.ipv4 && gateway4) || '',
    IPAddress: plainAddress(live?.ipv4 ?? ''),
    IPPrefixLen: prefixLength(live?.ipv4),
    IPv6Gateway: (live?.ipv6 && gateway6) || '',
    GlobalIPv6Address: plainAddress(live?.ipv6 ?? ''),
    GlobalIPv6PrefixLen: prefixLength(live?.ipv6),
    DNSNames: names.length > 0 ? names : null,
  };
}

function prefixLength(address: string | undefined): number {
  return Number(address?.split('/')[1] ?? 0);
}
