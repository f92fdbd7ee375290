import type { ContainerConfigBody, ContainerCreateBody, EndpointSettingsBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { Networks } from '../networks/networks.ts';
import { portWishes } from '../networks/ports.ts';
import type { ContainerNetwork, EndpointRecord, NetworkRecord } from '../networks/record.ts';

/** Where containers find no one another by name, and addresses cannot be chosen. */
export const DEFAULT_NETWORK = 'bridge';

/** `default` and nothing mean the network `bridge`. */
export function networkMode({ HostConfig, NetworkDisabled }: ContainerCreateBody): string {
  if (NetworkDisabled) return 'none';
  const { NetworkMode: mode = '' } = HostConfig ?? {};
  return mode === '' || mode === 'default' ? DEFAULT_NETWORK : mode;
}

/**
 * What a request says about networks. The network of the mode comes first: it gets the first interface. One that does
 * not exist is missed by the start, as Docker has it; the docker CLI would take an error for a missing image, and pull.
 * @throws BerthError `invalid`, `conflict`
 */
export function planNetwork(
  networks: Networks,
  body: ContainerCreateBody,
  config: ContainerConfigBody,
): ContainerNetwork {
  const mode = networkMode(body);
  const wanted = body.NetworkingConfig?.EndpointsConfig ?? {};
  const none = { endpoints: [], ports: [], published: [] };
  const others = Object.keys(wanted).filter((name) => name !== 'default' && name !== mode);
  if (mode === 'host' || mode === 'none') {
    if (others.length > 0) {
      throw new BerthError(
        'invalid',
        `conflicting options: cannot attach both user-defined and non-user-defined network-modes`,
      );
    }
    return { mode: { kind: mode }, ...none };
  }
  const shared = /^container:(.+)$/.exec(mode)?.[1];
  if (shared !== undefined) {
    refuseWithShared(body);
    return { mode: { kind: 'container', container: shared }, ...none };
  }
  const first = networkNamed(networks, mode);
  const given = Object.entries(wanted).map(([name, settings]) => ({
    network: name === 'default' ? first : networkNamed(networks, name),
    settings: settings ?? {},
  }));
  const settings = given.find(({ network }) => network.id === first.id)?.settings ?? {};
  const mac = body.MacAddress ? { MacAddress: body.MacAddress } : {};
  return {
    mode: { kind: 'networks' },
    endpoints: [
      endpointOf(first, { ...mac, ...settings }),
      ...given.filter(({ network }) => network.id !== first.id).map((one) => endpointOf(one.network, one.settings)),
    ],
    ports: portWishes(config, body.HostConfig ?? {}),
    published: [],
  };
}

type NamedNetwork = Pick<NetworkRecord, 'id' | 'name' | 'driver'>;

/** Until there is a network by a name, the name stands for it. */
function networkNamed(networks: Networks, name: string): NamedNetwork {
  try {
    return networks.get(name);
  } catch (error) {
    if (error instanceof BerthError && error.kind === 'not-found') return { id: name, name, driver: 'bridge' };
    throw error;
  }
}

/** Links of the default network, and those that are said with the others: a container knows both the same way. */
export function linkTexts({ HostConfig, NetworkingConfig }: ContainerCreateBody): readonly string[] {
  const own = (HostConfig?.['Links'] ?? []) as readonly string[];
  const others = Object.values(NetworkingConfig?.EndpointsConfig ?? {}).flatMap((settings) => settings?.Links ?? []);
  return [...own, ...others];
}

/** A container's place in a network as it was asked for. @throws BerthError `invalid` */
export function endpointOf(network: NamedNetwork, settings: EndpointSettingsBody): EndpointRecord {
  if (network.driver === 'host' || network.driver === 'null') {
    throw new BerthError('invalid', `container cannot be connected to ${network.name} network`, {
      hint: `start it with --network ${network.name} instead`,
    });
  }
  const { IPAMConfig, Aliases, Links, MacAddress, DriverOpts, GwPriority } = settings;
  const [ipv4, ipv6] = [IPAMConfig?.IPv4Address, IPAMConfig?.IPv6Address];
  if ((ipv4 || ipv6) && network.name === DEFAULT_NETWORK) {
    throw new BerthError('invalid', 'user specified IP address is supported on user defined networks only');
  }
  if (Aliases && Aliases.length > 0 && network.name === DEFAULT_NETWORK) {
    throw new BerthError('invalid', 'network-scoped alias is supported only for containers in user defined networks');
  }
  return {
    network: network.id,
    networkName: network.name,
    aliases: Aliases ?? [],
    links: Links ?? [],
    ...(ipv4 ? { ipv4 } : {}),
    ...(ipv6 ? { ipv6 } : {}),
    ...(MacAddress ? { mac: MacAddress } : {}),
    options: DriverOpts ?? {},
    gatewayPriority: GwPriority ?? 0,
  };
}

function refuseWithShared(body: ContainerCreateBody): void {
  const host = body.HostConfig ?? {};
  const isGiven = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  const conflicts: readonly (readonly [boolean, string])[] = [
    [Boolean(body.Hostname), 'hostname'],
    [isGiven(host['Links']), 'links'],
    [isGiven(host['Dns']), 'dns'],
    [isGiven(host['ExtraHosts']), 'custom host-to-IP mapping'],
    [isGiven(host['PortBindings']) || host['PublishAllPorts'] === true, 'port publishing'],
    [Boolean(body.MacAddress), 'mac-address'],
  ];
  const [, what] = conflicts.find(([given]) => given) ?? [];
  if (what) throw new BerthError('invalid', `conflicting options: ${what} and the container type network mode`);
}
