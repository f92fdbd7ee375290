import type { ContainerConfigBody, HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { HostPort, PortWish } from './record.ts';

type Protocol = PortWish['protocol'];
type Bindings = Readonly<Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>>;

/**
 * The ports that a container wants of the host, by its bindings, and with `-P` those that it exposes.
 * @throws BerthError `invalid`
 */
export function portWishes(config: ContainerConfigBody, host: HostConfigBody): readonly PortWish[] {
  const bindings = (host['PortBindings'] ?? {}) as Bindings;
  const wishes = Object.entries(bindings).flatMap(([key, places]) => {
    const { protocol, port } = parsePort(key);
    const wanted = places && places.length > 0 ? places : [{}];
    return wanted.map(({ HostIp = '', HostPort = '' }) => ({
      protocol,
      containerPort: port,
      hostIp: HostIp,
      ...hostPortsOf(HostPort),
    }));
  });
  if (!host['PublishAllPorts']) return wishes;
  const bound = new Set(wishes.map(({ protocol, containerPort }) => `${containerPort}/${protocol}`));
  const exposed = exposedPorts(config).filter(({ protocol, port }) => !bound.has(`${port}/${protocol}`));
  return [...wishes, ...exposed.map(({ protocol, port }) => ({ protocol, containerPort: port, hostIp: '' }))];
}

/** @throws BerthError `invalid` */
export function exposedPorts({ ExposedPorts }: ContainerConfigBody): readonly { protocol: Protocol; port: number }[] {
  return Object.keys(ExposedPorts ?? {}).map(parsePort);
}

/** `NetworkSettings.Ports` of an inspect: exposed ports without a place on the host are null. */
export function portMap(
  config: ContainerConfigBody,
  published: readonly HostPort[],
): Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>> {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const { port, protocol } of exposedPorts(config)) map[`${port}/${protocol}`] = null;
  for (const { containerPort, protocol, hostIp, hostPort } of published) {
    const key = `${containerPort}/${protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }];
  }
  return map;
}

/** `Ports` of a list. */
export function portList(config: ContainerConfigBody, published: readonly HostPort[]): readonly object[] {
  return Object.entries(portMap(config, published)).flatMap(([key, places]): object[] => {
    const { port, protocol } = parsePort(key);
    const own = { PrivatePort: port, Type: protocol };
    return places === null
      ? [own]
      : places.map(({ HostIp, HostPort }) => ({ IP: HostIp, PublicPort: Number(HostPort), ...own }));
  });
}

function parsePort(key: string): { protocol: Protocol; port: number } {
  const [number = '', protocol = 'tcp'] = key.split('/');
  const isPort = /^\d{1,5}$/.test(number) && Number(number) > 0 && Number(number) <= 65535;
  if (!isPort || !isProtocol(protocol))
    throw new BerthError('invalid', `invalid port specification: ${JSON.stringify(key)}`);
  return { protocol, port: Number(number) };
}

function isProtocol(text: string): text is Protocol {
  return text === 'tcp' || text === 'udp' || text === 'sctp';
}

function hostPortsOf(text: string): { readonly hostPorts?: { readonly first: number; readonly last: number } } {
  if (text === '' || text === '0') return {};
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === '' || Number(last) < Number(first) || Number(last) > 65535) {
    throw new BerthError('invalid', `invalid port specification: ${JSON.stringify(text)}`);
  }
  return { hostPorts: { first: Number(first), last: Number(last) } };
}
