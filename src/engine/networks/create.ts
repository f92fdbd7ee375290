import type { IpamConfigBody, NetworkCreateBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { NetworkHost } from './network-host.ts';
import type { NetworkDriver, NetworkRecord, SubnetRecord } from './record.ts';

export const networkOptions = {
  bridge: 'com.docker.network.bridge.name',
  neighbours: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostAddress: 'com.docker.network.bridge.host_binding_ipv4',
  isDefault: 'com.docker.network.bridge.default_bridge',
  mtu: 'com.docker.network.driver.mtu',
} as const;

/** Names that are modes of a container, not networks of it. */
const PREDEFINED = new Set(['bridge', 'host', 'none', 'default']);
const DRIVERS: readonly NetworkDriver[] = ['bridge', 'macvlan'];
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/**
 * What a request to make a network resolves to.
 * @throws BerthError `invalid`, `forbidden` (predefined name, overlap), `not-found` (driver), `exhausted`, `unsupported`
 */
export function newNetwork(
  body: NetworkCreateBody,
  others: readonly NetworkRecord[],
  made: { readonly id: string; readonly createdAt: number },
  host: NetworkHost,
): NetworkRecord {
  const name = checkName(body.Name ?? '');
  const driver = readDriver(body.Driver || 'bridge');
  refuseUnsupported(body);
  const ipv6 = body.EnableIPv6 ?? false;
  const options = checkOptions(driver, body.Options ?? {});
  return {
    format: 1,
    ...made,
    name,
    driver,
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    ipv6,
    subnets: planSubnets(body.IPAM?.Config ?? [], ipv6, others, host),
    options,
    labels: body.Labels ?? {},
  };
}

function checkName(name: string): string {
  if (PREDEFINED.has(name)) {
    throw new BerthError('forbidden', `operation is not permitted on predefined ${name} network`);
  }
  if (NAME.test(name)) return name;
  throw new BerthError('invalid', `invalid network name ${JSON.stringify(name)}`, {
    hint: 'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed',
  });
}

function readDriver(text: string): NetworkDriver {
  const driver = DRIVERS.find((known) => known === text);
  if (driver) return driver;
  if (text === 'host' || text === 'null') {
    throw new BerthError('forbidden', `only one instance of "${text}" network is allowed`);
  }
  throw new BerthError('not-found', `plugin ${JSON.stringify(text)} not found`, {
    hint: `drivers are ${DRIVERS.join(' and ')}`,
  });
}

function refuseUnsupported({ Scope, Ingress, ConfigOnly, ConfigFrom, EnableIPv4, IPAM }: NetworkCreateBody): void {
  const not = (what: string) => new BerthError('unsupported', `${what} is not there yet in this version of Berth`);
  if (Scope && Scope !== 'local') throw not(`--scope ${Scope}`);
  if (Ingress) throw not('--ingress');
  if (ConfigOnly) throw not('--config-only');
  if (ConfigFrom?.Network) throw not('--config-from');
  if (EnableIPv4 === false) throw not('--ipv4=false');
  if (IPAM?.Driver && IPAM.Driver !== 'default') throw not(`--ipam-driver ${IPAM.Driver}`);
}

function checkOptions(
  driver: NetworkDriver,
  options: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const mtu = options[networkOptions.mtu];
  if (mtu !== undefined && !/^\d{2,5}$/.test(mtu)) throw new BerthError('invalid', `invalid MTU: ${mtu}`);
  if (driver === 'macvlan' && !options['parent']) {
    throw new BerthError('invalid', 'a macvlan network needs the interface that it goes out by', {
      hint: 'name it: -o parent=eth0',
    });
  }
  return options;
}

function planSubnets(
  configs: readonly IpamConfigBody[],
  ipv6: boolean,
  others: readonly NetworkRecord[],
  host: NetworkHost,
): readonly SubnetRecord[] {
  const taken = others.flatMap(({ name, subnets }) => subnets.map(({ subnet }) => ({ name, subnet })));
  const families = configs.map(({ Subnet, Gateway = '' }) => ((Subnet ?? Gateway).includes(':') ? 6 : 4));
  if (families.includes(6) && !ipv6) {
    throw new BerthError('invalid', 'an IPv6 subnet needs a network with IPv6', { hint: 'add --ipv6' });
  }
  const wanted = configs.map((config, at) => ({ family: families[at] as 4 | 6, ...requestOf(config) }));
  const missing = ([4, 6] as const).filter((family) => !families.includes(family) && (family === 4 || ipv6));
  const planned: SubnetRecord[] = [];
  for (const request of [...wanted, ...missing.map((family) => ({ family }))]) {
    const before = planned.map(({ subnet }) => ({ name: 'this network', subnet }));
    planned.push(host.planSubnet(request, [...taken, ...before]));
  }
  return planned.sort((a, b) => Number(a.subnet.includes(':')) - Number(b.subnet.includes(':')));
}

function requestOf({ Subnet, Gateway, IPRange, AuxiliaryAddresses }: IpamConfigBody): Partial<SubnetRecord> {
  return {
    ...(Subnet ? { subnet: Subnet } : {}),
    ...(Gateway ? { gateway: Gateway } : {}),
    ...(IPRange ? { range: IPRange } : {}),
    ...(AuxiliaryAddresses ? { auxiliary: AuxiliaryAddresses } : {}),
  };
}
