import { type HostsEntry, hostsFile, resolvConf, resolvConfOfResolver } from '../networks/name-files.ts';
import { plainAddress } from '../networks/record.ts';
import type { ContainerSpec } from '../ports.ts';
import type { Container, ContainersContext } from './container.ts';
import { gatewayOf, networkOf } from './container-network.ts';
import { linkHosts } from './links.ts';
import { DEFAULT_NETWORK } from './network-plan.ts';

/** The container's own `/etc/hosts` and `/etc/resolv.conf`. */
export function namesOf(context: ContainersContext, container: Container): { hosts: string; resolvConf: string } {
  const { config } = container.record;
  const { Hostname: host = '', Domainname: domain = '' } = config;
  const names = domain ? [`${host}.${domain}`, host] : [host];
  const addresses = networkOf(container).endpoints.flatMap(({ live }) =>
    [live?.ipv4, live?.ipv6].filter((one) => one !== undefined),
  );
  const own = addresses.map((address): HostsEntry => ({ address: plainAddress(address), names }));
  return {
    hosts: hostsFile([...extraHosts(context, container), ...linkHosts(context, networkOf(container)), ...own]),
    resolvConf: resolversOf(context, container, { ipv6: addresses.some((address) => address.includes(':')) }),
  };
}

/** On the host's network, or none, only what was asked for differs from what the runtime writes by itself. */
export function ownNames(context: ContainersContext, container: Container): Pick<ContainerSpec, 'names'> {
  const chosen = resolverChoices(container);
  const isChosen = [...chosen.servers, ...chosen.search, ...chosen.options].length > 0;
  const extra = extraHosts(context, container);
  if (!isChosen && extra.length === 0) return {};
  return {
    names: {
      ...(extra.length > 0 ? { hosts: hostsFile(extra) } : {}),
      ...(isChosen ? { resolvConf: resolvConf(context.ports.networks.resolvConf(), chosen) } : {}),
    },
  };
}

/**
 * Whether a container asks the engine for names: in networks that users made. The default network has none, as Docker
 * has it.
 */
export function asksForNames(container: Container): boolean {
  const { mode, endpoints } = networkOf(container);
  return mode.kind === 'networks' && endpoints.some(({ networkName }) => networkName !== DEFAULT_NETWORK);
}

function resolversOf({ ports }: ContainersContext, container: Container, family: { readonly ipv6: boolean }): string {
  const { networks } = ports;
  const [host, chosen] = [networks.resolvConf(), resolverChoices(container)];
  if (asksForNames(container)) return resolvConfOfResolver(host, chosen, networks.resolverAddress);
  return resolvConf(host, chosen, family);
}

/** `--dns` and the like. */
export function resolverChoices({ record }: Container): Parameters<typeof resolvConf>[1] {
  const list = (value: unknown) => (Array.isArray(value) ? (value as readonly string[]) : []);
  const { hostConfig } = record;
  return {
    servers: list(hostConfig['Dns']),
    search: list(hostConfig['DnsSearch']),
    options: list(hostConfig['DnsOptions']),
  };
}

/** `--add-host` values, as `name:address`; `host-gateway` is the host as the container's first network knows it. */
function extraHosts({ networks }: ContainersContext, container: Container): readonly HostsEntry[] {
  const texts = (container.record.hostConfig['ExtraHosts'] ?? []) as readonly string[];
  return texts.map((text) => {
    const colon = text.search(/[:=]/);
    const [name, wanted] = [text.slice(0, colon), text.slice(colon + 1)];
    const first = networks.find(networkOf(container).endpoints[0]?.network ?? '');
    const address = wanted === 'host-gateway' ? ((first && gatewayOf(first, 4)) ?? '127.0.0.1') : wanted;
    return { address, names: [name] };
  });
}
