import { isIP } from 'node:net';
import { BerthError } from '../../errors/index.ts';
import { splitCsv } from './csv.ts';

type Exposed = Record<string, Record<string, never>>;
type Bindings = Record<string, { readonly HostIp: string; readonly HostPort: string }[]>;

export interface PortOptions {
  readonly exposed: Readonly<Exposed>;
  readonly bindings: Readonly<Bindings>;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

const PROTOCOLS = ['tcp', 'udp', 'sctp'];

/**
 * Ports of `-p` and `--expose`. Pure. @throws BerthError `invalid`
 * @see docker/go-connections nat/nat.go, ParsePortSpec
 */
export function parsePorts(published: readonly string[], exposed: readonly string[]): PortOptions {
  const ports: { exposed: Exposed; bindings: Bindings } = { exposed: {}, bindings: {} };
  for (const text of published) publish(text.includes('=') ? shortForm(text) : text, ports);
  for (const text of exposed) {
    const { protocol, port } = withProtocol(text);
    if (text.includes(':')) throw new BerthError('invalid', `invalid port format for --expose: ${text}`);
    const { first, last } = range(port, `invalid range format for --expose: ${text}`);
    for (let number = first; number <= last; number += 1) ports.exposed[`${number}/${protocol}`] ??= {};
  }
  return ports;
}

/** `[address:][host ports:]container ports[/protocol]`. */
function publish(text: string, ports: { exposed: Exposed; bindings: Bindings }): void {
  const { protocol, port: place } = withProtocol(text);
  const [, address = '', rest = place] =
    /^(\[[^\]]*\]|[^:[\]]*|[0-9a-f:]*:[0-9a-f:]*):([^:]*:[^:]*)$/i.exec(place) ?? [];
  const parts = rest.split(':');
  if (parts.length > 2) throw new BerthError('invalid', `invalid port specification: ${JSON.stringify(text)}`);
  const [container = '', host = ''] = parts.reverse();
  if (container === '') throw new BerthError('invalid', `no port specified: ${text}<empty>`);
  const hostIp = address.replace(/^\[(.*)\]$/, '$1');
  if (hostIp !== '' && isIP(hostIp) === 0) throw new BerthError('invalid', `invalid IP address: ${hostIp}`);
  const inside = range(container, `invalid containerPort: ${container}`);
  const outside = host === '' ? undefined : range(host, `invalid hostPort: ${host}`);
  const count = inside.last - inside.first;
  // One port of the container may be led to any of several of the host; several want as many.
  if (outside && count > 0 && outside.last - outside.first !== count) {
    throw new BerthError('invalid', `invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  for (let offset = 0; offset <= count; offset += 1) {
    const key = `${inside.first + offset}/${protocol}`;
    ports.exposed[key] ??= {};
    const HostPort = !outside ? '' : count > 0 ? String(outside.first + offset) : host;
    ports.bindings[key] = [...(ports.bindings[key] ?? []), { HostIp: hostIp, HostPort }];
  }
}

function withProtocol(text: string): { readonly protocol: string; readonly port: string } {
  const slash = text.lastIndexOf('/');
  const protocol = slash < 0 ? 'tcp' : text.slice(slash + 1).toLowerCase();
  if (!PROTOCOLS.includes(protocol)) throw new BerthError('invalid', `invalid proto: ${protocol}`);
  return { protocol, port: slash < 0 ? text : text.slice(0, slash) };
}

function range(text: string, mistake: string): Range {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === '' || Number(last) > 65535 || Number(last) < Number(first)) throw new BerthError('invalid', mistake);
  return { first: Number(first), last: Number(last) };
}

/** `published=8080,target=80,protocol=udp` in the short form. */
function shortForm(text: string): string {
  const fields = new Map(
    splitCsv(text).map((field) => {
      const equals = field.indexOf('=');
      return [field.slice(0, equals), field.slice(equals + 1)] as const;
    }),
  );
  for (const key of fields.keys()) {
    if (!['published', 'target', 'protocol', 'mode'].includes(key)) {
      throw new BerthError('invalid', `invalid field key ${key} in port ${JSON.stringify(text)}`);
    }
  }
  const published = fields.get('published');
  return `${published ? `${published}:` : ''}${fields.get('target') ?? ''}/${fields.get('protocol') ?? 'tcp'}`;
}
