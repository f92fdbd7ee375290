import type { EndpointRequest } from '../networks/network-host.ts';
import type { LiveEndpoint } from '../networks/record.ts';
import type { RunningProcess } from '../ports.ts';
import type { Container, ContainersContext } from './container.ts';
import { networkOf } from './container-network.ts';
import { namesOf } from './host-files.ts';
import { serveNames } from './name-service.ts';
import { chooseGateways, endpointRequest, memberOf, publishTarget } from './networking.ts';

/**
 * Takes over what a container of an earlier engine has: its addresses are taken, its ports published, its questions for
 * names answered. Where that engine ended in the middle of a connect or disconnect, the record says what is so.
 */
export async function adoptNetworks(
  context: ContainersContext,
  container: Container,
  process: RunningProcess,
): Promise<void> {
  const { networks } = context;
  const { mode, endpoints, published } = networkOf(container);
  if (mode.kind !== 'networks') return;
  const requests: EndpointRequest[] = [];
  for (const endpoint of endpoints) {
    const { live, network } = endpoint;
    const record = live && networks.find(network);
    if (!record) continue;
    networks.ensure(record);
    networks.addresses.adopt(record, live);
    networks.join(record, container.id, memberOf(container, endpoint, live), { quiet: true });
    requests.push(endpointRequest(context, record, { ...endpoint, mac: live.mac }, placeOf(live)));
  }
  if (published.length > 0) await publishAs(context, container);
  const sandbox = context.ports.networks.enterSandbox(process);
  if (!sandbox) return;
  try {
    if (await context.ports.networks.settle(sandbox, requests)) {
      chooseGateways(context, container, sandbox);
      context.ports.runtime.writeNames?.(process, namesOf(context, container));
    }
    await serveNames(context, container, sandbox);
  } finally {
    sandbox.close();
  }
}

function placeOf({ interfaceName, ipv4, ipv6 }: LiveEndpoint): Pick<EndpointRequest, 'interfaceName' | 'addresses'> {
  return { interfaceName, addresses: [ipv4, ipv6].filter((address) => address !== undefined) };
}

/** Publishes the very ports of the host that the container has. */
async function publishAs(context: ContainersContext, container: Container): Promise<void> {
  const wishes = networkOf(container).published.map(({ hostPort, ...port }) => ({
    ...port,
    hostPorts: { first: hostPort, last: hostPort },
  }));
  container.published.push(await context.ports.networks.publish(wishes, publishTarget(container)));
}
