import type { NetworkBody } from '../../api/contract/index.ts';
import { formatRfc3339Nano } from '../../units/index.ts';
import { networkOptions } from './create.ts';
import type { NetworkRecord } from './record.ts';

/** A network as the API shows it, with no containers in it. */
export function bodyOf(record: NetworkRecord): NetworkBody {
  return {
    Name: record.name,
    Id: record.id,
    Created: formatRfc3339Nano(record.createdAt),
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: true,
    EnableIPv6: record.ipv6,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: record.subnets.map(({ subnet, gateway, range, auxiliary }) => ({
        Subnet: subnet,
        ...(range ? { IPRange: range } : {}),
        Gateway: gateway,
        ...(auxiliary ? { AuxiliaryAddresses: auxiliary } : {}),
      })),
    },
    Internal: record.internal,
    Attachable: record.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: record.options,
    Labels: record.labels,
  };
}

/** One of the networks that every engine has. */
export function predefined(
  id: string,
  name: string,
  driver: NetworkRecord['driver'],
  createdAt: number,
  bridge: string,
): NetworkRecord {
  const options = {
    [networkOptions.isDefault]: 'true',
    [networkOptions.neighbours]: 'true',
    [networkOptions.masquerade]: 'true',
    [networkOptions.hostAddress]: '0.0.0.0',
    [networkOptions.bridge]: bridge,
  };
  return {
    format: 1,
    id,
    name,
    createdAt,
    driver,
    internal: false,
    attachable: false,
    ipv6: false,
    subnets: [],
    options: driver === 'bridge' ? options : {},
    labels: {},
  };
}
