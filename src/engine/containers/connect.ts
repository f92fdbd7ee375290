import type { EndpointSettingsBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { NetworkSandbox } from '../networks/network-host.ts';
import type { NetworkRecord } from '../networks/record.ts';
import { type Container, type ContainersContext, save } from './container.ts';
import { networkOf, setEndpoint, setNetwork } from './container-network.ts';
import { namesOf } from './host-files.ts';
import { serveNames } from './name-service.ts';
import { endpointOf } from './network-plan.ts';
import { chooseGateways, enter, forget, redirectPorts } from './networking.ts';

/** Puts a container into one more network, at once when it runs. @throws BerthError `conflict` when it is there already */
export function connectContainer(
  context: ContainersContext,
  container: Container,
  network: NetworkRecord,
  settings: EndpointSettingsBody,
): Promise<void> {
  return container.lock.run(async () => {
    requireOwnNetworks(container, network);
    const { endpoints } = networkOf(container);
    if (endpoints.some((endpoint) => endpoint.network === network.id)) {
      throw new BerthError(
        'forbidden',
        `endpoint with name ${container.record.name} already exists in network ${network.name}`,
      );
    }
    const endpoint = endpointOf(network, settings);
    await inSandbox(context, container, async (sandbox) => {
      if (sandbox) await enter(context, container, sandbox, endpoint);
      else setEndpoint(container, endpoint);
    });
    await save(context, container);
  });
}

/** Takes a container out of a network. With `force` also one that is not there any more. */
export function disconnectContainer(
  context: ContainersContext,
  container: Container,
  network: NetworkRecord,
): Promise<void> {
  return container.lock.run(async () => {
    requireOwnNetworks(container, network);
    const endpoint = networkOf(container).endpoints.find((one) => one.network === network.id);
    if (!endpoint) {
      throw new BerthError('forbidden', `container ${container.id} is not connected to network ${network.name}`);
    }
    await inSandbox(context, container, async (sandbox) => {
      if (sandbox && endpoint.live) await sandbox.detach(endpoint.live.interfaceName);
      forget(context, container, endpoint);
      const rest = networkOf(container);
      setNetwork(container, { ...rest, endpoints: rest.endpoints.filter((one) => one.network !== network.id) });
    });
    await save(context, container);
  });
}

/** In the namespace of a running container; afterwards its default route and its names are right again. */
async function inSandbox(
  context: ContainersContext,
  container: Container,
  work: (sandbox: NetworkSandbox | undefined) => Promise<void>,
): Promise<void> {
  const { run } = container;
  const sandbox = run && context.ports.networks.enterSandbox(run.process);
  try {
    await work(sandbox);
    if (!run || !sandbox) return;
    chooseGateways(context, container, sandbox);
    redirectPorts(container);
    await serveNames(context, container, sandbox);
    context.ports.runtime.writeNames?.(run.process, namesOf(context, container));
  } finally {
    sandbox?.close();
  }
}

function requireOwnNetworks(container: Container, network: NetworkRecord): void {
  const { mode } = networkOf(container);
  if (mode.kind === 'networks') return;
  const why = mode.kind === 'container' ? "shares another container's network" : `is on the network ${mode.kind}`;
  throw new BerthError(
    'forbidden',
    `container ${container.record.name} ${why}: it cannot join or leave ${network.name}`,
  );
}
