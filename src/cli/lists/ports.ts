/** One port of a container as the API lists it. */
export interface Port {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * The PORTS cell: neighbouring ports as ranges (`80-82/tcp`), those published under the same number likewise, then
 * those published under another one. @see docker/cli formatter, DisplayablePorts
 */
export function displayPorts(ports: readonly Port[]): string {
  const cells: string[] = [];
  const mapped: string[] = [];
  /** The open range of each address and protocol. */
  const open = new Map<string, { port: Port; range: Range }>();
  for (const port of [...ports].sort(byPort)) {
    if (port.IP && port.PublicPort !== port.PrivatePort) {
      mapped.push(`${address(port.IP)}${port.PublicPort}->${port.PrivatePort}/${port.Type}`);
      continue;
    }
    const key = `${port.IP ?? ''}/${port.Type}`;
    const known = open.get(key);
    if (known && known.range.last + 1 === port.PrivatePort) {
      open.set(key, { port, range: { first: known.range.first, last: port.PrivatePort } });
      continue;
    }
    if (known) cells.push(rangeText(known.port, known.range));
    open.set(key, { port, range: { first: port.PrivatePort, last: port.PrivatePort } });
  }
  for (const { port, range } of open.values()) cells.push(rangeText(port, range));
  return [...cells, ...mapped].join(', ');
}

function byPort(a: Port, b: Port): number {
  return a.PrivatePort - b.PrivatePort || compare(a.IP ?? '', b.IP ?? '') || compare(a.Type, b.Type);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rangeText({ IP, Type }: Port, { first, last }: Range): string {
  const numbers = first === last ? String(first) : `${first}-${last}`;
  return IP ? `${address(IP)}${numbers}->${numbers}/${Type}` : `${numbers}/${Type}`;
}

function address(ip: string): string {
  return ip.includes(':') ? `[${ip}]:` : `${ip}:`;
}
