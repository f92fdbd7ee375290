import type { SeenNetwork } from '../networks/name-directory.ts';
import { resolverSettings } from '../networks/name-files.ts';
import type { NetworkSandbox, Upstream } from '../networks/network-host.ts';
import type { EndpointRecord, NetworkRecord } from '../networks/record.ts';
import type { Container, ContainersContext } from './container.ts';
import { networkOf } from './container-network.ts';
import { asksForNames, resolverChoices } from './host-files.ts';
import { DEFAULT_NETWORK } from './network-plan.ts';

/** Answers a container's questions for names until its process ends. What is served already goes on. */
export async function serveNames(
  context: ContainersContext,
  container: Container,
  sandbox: NetworkSandbox,
): Promise<void> {
  if (container.names || !asksForNames(container)) return;
  const service = new AbortController();
  container.names = service;
  const { names, ports } = { names: context.networks.names, ports: context.ports };
  const upstream = upstreamOf(context, container);
  try {
    await ports.networks.serveNames(sandbox, {
      lookup: (name) => names.lookup(name, seenBy(context, container)),
      reverse: (ip) => names.reverse(ip, seenBy(context, container)),
      upstream: () => (isCutOff(context, container) ? undefined : upstream),
      signal: service.signal,
    });
  } catch (error) {
    endNames(container);
    throw error;
  }
}

/** Idempotent. */
export function endNames(container: Container): void {
  container.names?.abort();
  container.names = undefined;
}

/** The networks in which a container looks for names, that of the default route first. */
function seenBy(context: ContainersContext, container: Container): readonly SeenNetwork[] {
  return liveNetworks(context, container)
    .filter(({ record }) => record.name !== DEFAULT_NETWORK)
    .sort((a, b) => b.endpoint.gatewayPriority - a.endpoint.gatewayPriority)
    .map(({ endpoint, record }) => ({
      id: record.id,
      name: record.name,
      links: linksOf(context, container, endpoint),
    }));
}

/** Names that it gave others: by `--link`, and by those of the network alone. */
function linksOf(
  { table }: ContainersContext,
  container: Container,
  { links }: EndpointRecord,
): ReadonlyMap<string, string> {
  const byLink = (networkOf(container).links ?? []).map(({ container: id, alias }) => [
    alias,
    table.find(id)?.record.name,
  ]);
  const byNetwork = links.map((text) => {
    const [name = '', alias = name] = text.split(':');
    return [alias, table.find(name)?.record.name ?? name];
  });
  return new Map(
    [...byNetwork, ...byLink].flatMap(([alias, name]) => (alias && name ? [[alias.toLowerCase(), name]] : [])),
  );
}

/** A container that is in internal networks only: nothing of it leaves the machine, questions for names neither. */
function isCutOff(context: ContainersContext, container: Container): boolean {
  return liveNetworks(context, container).every(({ record }) => record.internal);
}

function liveNetworks(
  { networks }: ContainersContext,
  container: Container,
): { readonly endpoint: EndpointRecord; readonly record: NetworkRecord }[] {
  return networkOf(container).endpoints.flatMap((endpoint) => {
    const record = endpoint.live && networks.find(endpoint.network);
    return record ? [{ endpoint, record }] : [];
  });
}

function upstreamOf({ ports }: ContainersContext, container: Container): Upstream {
  const { servers, options } = resolverSettings(ports.networks.resolvConf(), resolverChoices(container));
  return { servers, options };
}
