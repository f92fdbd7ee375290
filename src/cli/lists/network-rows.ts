import type { NetworkBody } from '../../api/contract/index.ts';
import type { ListFormat, Row } from '../../format/index.ts';
import { goTime, shortId } from './cells.ts';

export function networksFormat(format: string): ListFormat {
  return {
    format,
    table: '{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
    heads: {
      ID: 'NETWORK ID',
      Name: 'NAME',
      Driver: 'DRIVER',
      Scope: 'SCOPE',
      IPv4: 'IPV4',
      IPv6: 'IPV6',
      Internal: 'INTERNAL',
      Labels: 'LABELS',
      CreatedAt: 'CREATED AT',
    },
  };
}

/** @see docker/cli formatter, network.go */
export function networkRow(network: NetworkBody, { trunc }: { readonly trunc: boolean }): Row {
  const labels = network.Labels ?? {};
  return {
    ID: trunc ? shortId(network.Id) : network.Id,
    Name: network.Name,
    Driver: network.Driver,
    Scope: network.Scope,
    IPv4: String(network.EnableIPv4 ?? true),
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (key: string) => labels[key] ?? '',
    CreatedAt: goTime(Date.parse(network.Created)),
  };
}
