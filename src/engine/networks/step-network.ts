import type { EnginePorts } from '../ports.ts';
import { hostsFile, resolvConf } from './name-files.ts';
import type { Networks } from './networks.ts';

/** The default network for a process that is no container: a step of a build. */
export interface StepNetwork {
  readonly namespacePath: string;
  readonly names: { readonly hosts: string; readonly resolvConf: string };
  /** When the process has ended. Idempotent. */
  release(): void;
}

/** @throws BerthError when the machine cannot have the network, or it has no address left */
export async function joinDefaultNetwork(
  networks: Networks,
  ports: Pick<EnginePorts, 'networks'>,
): Promise<StepNetwork> {
  const record = await networks.ready(networks.get('bridge'));
  networks.ensure(record);
  const addresses = networks.addresses.take(record, {});
  const sandbox = ports.networks.openSandbox();
  let isHeld = true;
  const release = () => {
    if (!isHeld) return;
    isHeld = false;
    sandbox.close();
    networks.addresses.release(record, addresses);
  };
  try {
    const given = [addresses.ipv4, addresses.ipv6].filter((address) => address !== undefined);
    const link = { kind: 'bridge', bridge: networks.bridgeOf(record) } as const;
    ports.networks.attach(sandbox, { interfaceName: 'eth0', link, addresses: given });
    const gateway = record.subnets.find(({ subnet }) => !subnet.includes(':'))?.gateway;
    sandbox.setGateways(gateway ? { ipv4: gateway } : {});
    const conf = resolvConf(ports.networks.resolvConf(), { servers: [], search: [], options: [] });
    return { namespacePath: sandbox.path, names: { hosts: hostsFile([]), resolvConf: conf }, release };
  } catch (error) {
    release();
    throw error;
  }
}
