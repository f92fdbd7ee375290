import type { IpamConfigBody, NetworkBody, NetworkCreated, NetworksPruned } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { formatList } from '../../format/index.ts';
import { confirm } from '../confirm.ts';
import { keyValues } from '../container/key-values.ts';
import type { Command, CommandContext } from '../context.ts';
import { filtersQuery } from '../lists/filters.ts';
import { networkRow, networksFormat } from '../lists/network-rows.ts';
import { networkPath } from '../paths.ts';
import { forEachContainer } from './lifecycle.ts';

export const create: Command = async ({ args, flags, engine, environment }) => {
  const ipamOptions = keyValues(flags.list('ipam-opt'));
  const { Id, Warning } = await engine.json<NetworkCreated>('POST', '/networks/create', {
    body: {
      Name: args[0]!,
      Driver: flags.string('driver') ?? 'bridge',
      Internal: flags.bool('internal'),
      Attachable: flags.bool('attachable'),
      ...(flags.has('ipv4') ? { EnableIPv4: flags.bool('ipv4') } : {}),
      EnableIPv6: flags.bool('ipv6'),
      IPAM: { Driver: flags.string('ipam-driver') ?? 'default', Options: ipamOptions, Config: subnets(flags) },
      Options: keyValues(flags.list('opt')),
      Labels: keyValues(flags.list('label')),
    },
  });
  if (Warning) environment.stderr.write(`WARNING: ${Warning}\n`);
  environment.stdout.write(`${Id}\n`);
  return 0;
};

export const list: Command = async ({ flags, engine, environment }) => {
  const format = flags.string('format') ?? (flags.bool('quiet') ? '{{.ID}}' : 'table');
  const networks = await engine.json<readonly NetworkBody[]>('GET', '/networks', {
    query: { filters: filtersQuery(flags.list('filter')) },
  });
  const byName = [...networks].sort((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }));
  const rows = byName.map((network) => networkRow(network, { trunc: !flags.bool('no-trunc') }));
  environment.stdout.write(await formatList(networksFormat(format), rows));
  return 0;
};

export const remove: Command = (context) =>
  forEachContainer(context, async (name) => {
    await context.engine.send('DELETE', networkPath(name));
    return name;
  });

export const prune: Command = async ({ flags, engine, environment }) => {
  const warning =
    'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?';
  if (!flags.bool('force') && !(await confirm(environment, warning))) return 0;
  const { NetworksDeleted } = await engine.json<NetworksPruned>('POST', '/networks/prune', {
    query: { filters: filtersQuery(flags.list('filter')) },
  });
  if (NetworksDeleted?.length) environment.stdout.write(`Deleted Networks:\n${NetworksDeleted.join('\n')}\n\n`);
  return 0;
};

export const connect: Command = async ({ args, flags, engine }) => {
  const [network = '', container = ''] = args;
  const [ipv4, ipv6] = [flags.string('ip'), flags.string('ip6')];
  const [aliases, options] = [flags.list('alias'), keyValues(flags.list('driver-opt'))];
  await engine.send('POST', networkPath(network, 'connect'), {
    body: {
      Container: container,
      EndpointConfig: {
        IPAMConfig: { ...(ipv4 ? { IPv4Address: ipv4 } : {}), ...(ipv6 ? { IPv6Address: ipv6 } : {}) },
        Aliases: aliases,
        DriverOpts: options,
        GwPriority: flags.number('gw-priority') ?? 0,
      },
    },
  });
  return 0;
};

export const disconnect: Command = async ({ args, flags, engine }) => {
  const [network = '', container = ''] = args;
  await engine.send('POST', networkPath(network, 'disconnect'), {
    body: { Container: container, Force: flags.bool('force') },
  });
  return 0;
};

/** Each gateway, range and auxiliary address belongs to the subnet that it is in; the engine checks that it is. */
function subnets(flags: CommandContext['flags']): readonly IpamConfigBody[] {
  const given = flags.list('subnet');
  const [gateways, ranges] = [flags.list('gateway'), flags.list('ip-range')];
  const auxiliary = Object.entries(keyValues(flags.list('aux-address')));
  const isV6 = (text: string) => text.includes(':');
  if (given.length === 0 && gateways.length + ranges.length + auxiliary.length > 0) {
    throw new BerthError('invalid', 'every ip-range or gateway must have a corresponding subnet');
  }
  return given.map((subnet) => {
    const of = (texts: readonly string[]) => texts.find((text) => isV6(text) === isV6(subnet));
    const own = auxiliary.filter(([, address]) => isV6(address) === isV6(subnet));
    const [gateway, range] = [of(gateways), of(ranges)];
    return {
      Subnet: subnet,
      ...(gateway ? { Gateway: gateway } : {}),
      ...(range ? { IPRange: range } : {}),
      ...(own.length > 0 ? { AuxiliaryAddresses: Object.fromEntries(own) } : {}),
    };
  });
}
