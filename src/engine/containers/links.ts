import { BerthError } from '../../errors/index.ts';
import { type LinkRecord, linkEnvironment, parseLink } from '../networks/links.ts';
import type { HostsEntry } from '../networks/name-files.ts';
import { exposedPorts } from '../networks/ports.ts';
import { type ContainerNetwork, plainAddress } from '../networks/record.ts';
import type { Container, ContainersContext } from './container.ts';
import { DEFAULT_NETWORK } from './network-plan.ts';
import type { ContainerTable } from './table.ts';

/** `--link` values as they are kept. @throws BerthError `invalid` for a container that does not exist */
export function resolveLinks(table: ContainerTable, texts: readonly string[]): readonly LinkRecord[] {
  return texts.map((text) => {
    const { name, alias } = parseLink(text);
    const container = table.find(name);
    if (!container) throw new BerthError('invalid', `could not get container for ${name}: No such container: ${name}`);
    return { container: container.id, alias };
  });
}

/** `HostConfig.Links` as an inspect shows it: `/linked:/container/alias`, or null. */
export function shownLinks({ table }: ContainersContext, { record }: Container): readonly string[] | null {
  const asked = (record.hostConfig['Links'] ?? []) as readonly string[];
  if (asked.length === 0) return null;
  return (record.network?.links ?? [])
    .map(({ container, alias }) => `/${table.find(container)?.record.name ?? container}:/${record.name}/${alias}`)
    .sort();
}

/** Lines of `/etc/hosts` for the containers that one is linked to, as far as they run. */
export function linkHosts(context: ContainersContext, network: ContainerNetwork): readonly HostsEntry[] {
  return (network.links ?? []).flatMap(({ container, alias }): HostsEntry[] => {
    const target = context.table.find(container);
    const address = target && sharedAddress(network, target);
    if (!address) return [];
    const { name, config } = target.record;
    return [{ address, names: [...new Set([alias, config.Hostname ?? '', name])].filter((word) => word !== '') }];
  });
}

/**
 * Variables of linked containers, which only the default network has: elsewhere names are enough.
 * @throws BerthError `conflict` for one that does not run
 */
export function linkVariables(context: ContainersContext, container: Container): readonly string[] {
  const { network, name } = container.record;
  return (network?.links ?? []).flatMap(({ container: id, alias }) => {
    const target = context.table.find(id);
    if (!target?.isActive) {
      const called = target?.record.name ?? id;
      throw new BerthError('conflict', `Cannot link to a non running container: /${called} AS /${name}/${alias}`);
    }
    const onDefault = network?.endpoints.some(({ networkName }) => networkName === DEFAULT_NETWORK);
    const ipv4 = network && sharedAddress(network, target);
    if (!onDefault || !ipv4) return [];
    const { config } = target.record;
    return linkEnvironment({ alias, owner: name, ipv4, ports: exposedPorts(config), env: config.Env ?? [] });
  });
}

/** Running containers that are linked to one. */
export function linkedTo(context: ContainersContext, { id }: Container): readonly Container[] {
  return [...context.table.values()].filter(
    ({ record, run }) => run !== undefined && record.network?.links?.some((link) => link.container === id),
  );
}

/** The address of a container in a network that another one is in, too. */
function sharedAddress({ endpoints }: ContainerNetwork, target: Container): string | undefined {
  const mine = new Set(endpoints.map(({ network }) => network));
  const shared = target.record.network?.endpoints.find(({ network, live }) => mine.has(network) && live?.ipv4);
  return shared?.live?.ipv4 && plainAddress(shared.live.ipv4);
}
