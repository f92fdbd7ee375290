import type {
  EndpointRequest,
  NameService,
  NetworkHost,
  NetworkSandbox,
  PublishedPorts,
} from '../../src/engine/networks/network-host.ts';
import type { PortWish, SubnetRecord } from '../../src/engine/networks/record.ts';
import { macOfIp } from '../../src/network/address/mac.ts';
import { AddressPool } from '../../src/network/address/pool.ts';
import { completeSubnet, freeSubnet, localV6Pool, refuseOverlap } from '../../src/network/address/subnets.ts';

/** The machine's side of networks without a machine: real addresses, and bridges and ports as names in sets. */
export class FakeNetworks implements NetworkHost {
  readonly defaultBridge = 'fake0';
  readonly bridges = new Set<string>();
  readonly published = new Set<number>();
  readonly attached: EndpointRequest[] = [];
  readonly detached: string[] = [];
  open = 0;

  planSubnet(
    request: Partial<SubnetRecord> & { readonly family: 4 | 6 },
    networks: readonly { readonly name: string; readonly subnet: string }[],
  ): SubnetRecord {
    const used = networks.map(({ subnet }) => subnet);
    const subnet = request.subnet ?? freeSubnet(used, request.family === 6 ? [localV6Pool('fake')] : undefined);
    refuseOverlap(subnet, networks);
    return completeSubnet({ ...request, subnet });
  }

  openAddresses(subnet: SubnetRecord): AddressPool {
    return new AddressPool(subnet);
  }

  ensureBridge({ bridge }: { readonly bridge: string }): void {
    this.bridges.add(bridge);
  }

  async removeBridge(name: string): Promise<void> {
    this.bridges.delete(name);
  }

  openSandbox(): NetworkSandbox {
    this.open += 1;
    return {
      path: '/proc/1/fd/9',
      detach: async (name) => void this.detached.push(name),
      setGateways: () => undefined,
      links: () => [],
      close: () => {
        this.open -= 1;
      },
    };
  }

  enterSandbox(): NetworkSandbox {
    return this.openSandbox();
  }

  attach(_sandbox: NetworkSandbox, endpoint: EndpointRequest): { readonly mac: string } {
    this.attached.push(endpoint);
    return { mac: endpoint.link.mac ?? macOfIp(endpoint.addresses[0]!.split('/')[0]!) };
  }

  async settle(): Promise<boolean> {
    return false;
  }

  async publish(ports: readonly PortWish[]): Promise<PublishedPorts> {
    const given = ports.map(({ protocol, containerPort, hostIp, hostPorts }, at) => ({
      protocol,
      containerPort,
      hostIp: hostIp || '0.0.0.0',
      hostPort: hostPorts?.first ?? 32768 + at,
    }));
    for (const { hostPort } of given) this.published.add(hostPort);
    const withdraw = () => {
      for (const { hostPort } of given) this.published.delete(hostPort);
    };
    return { ports: given, redirect: () => undefined, withdraw, abandon: () => undefined };
  }

  async recover(_known: ReadonlySet<string>, add: () => Promise<void>): Promise<void> {
    await add();
  }

  readonly resolverAddress = '127.0.0.11';
  /** By what container's questions are answered, newest last. */
  readonly services: NameService[] = [];

  async serveNames(_sandbox: NetworkSandbox, service: NameService): Promise<void> {
    this.services.push(service);
    service.signal.addEventListener('abort', () => this.services.splice(this.services.indexOf(service), 1));
  }

  resolvConf(): string {
    return 'nameserver 192.0.2.53\nsearch example.org\n';
  }
}
