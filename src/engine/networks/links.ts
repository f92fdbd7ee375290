import { BerthError } from '../../errors/index.ts';

/** A container that another one knows by a name of its own. */
export interface LinkRecord {
  readonly container: string;
  readonly alias: string;
}

/** `container:alias`; without an alias it is the container's name. @throws BerthError `invalid` */
export function parseLink(text: string): { readonly name: string; readonly alias: string } {
  const [name = '', alias = name, ...rest] = text.split(':');
  if (name === '' || alias === '' || rest.length > 0) throw new BerthError('invalid', `bad format for links: ${text}`);
  const last = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  return { name: name.replace(/^\//, ''), alias: last(alias) };
}

export interface LinkedContainer {
  readonly alias: string;
  /** The name of the container that has the link. */
  readonly owner: string;
  readonly ipv4: string;
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
  readonly env: readonly string[];
}

/** Of the linked container's environment, what is about itself alone. */
const OWN_VARIABLES = new Set(['HOME', 'PATH']);
/** From this many on, ports in a row are also told as a range. */
const RANGE_LENGTH = 3;

/**
 * The variables by which a container finds another one that it is linked to: where its ports are, TCP first, and what
 * its own environment says. @see Docker's documentation of legacy container links
 */
export function linkEnvironment({ alias, owner, ipv4, ports, env }: LinkedContainer): readonly string[] {
  const prefix = alias.toUpperCase().replaceAll('-', '_');
  const sorted = [...ports].sort((a, b) => rank(a.protocol) - rank(b.protocol) || a.port - b.port);
  const url = ({ protocol, port }: { readonly protocol: string; readonly port: number }) =>
    `${protocol}://${ipv4}:${port}`;
  const lines: string[] = [];
  const [first] = sorted;
  if (first) lines.push(`${prefix}_PORT=${url(first)}`);
  for (const run of runsOf(sorted)) {
    const [start, end] = [run[0]!, run.at(-1)!];
    const key = `${prefix}_PORT_${start.port}_${start.protocol.toUpperCase()}`;
    lines.push(`${key}_START=${url(start)}`, `${key}_ADDR=${ipv4}`, `${key}_PROTO=${start.protocol}`);
    lines.push(`${key}_PORT_START=${start.port}`, `${key}_END=${url(end)}`, `${key}_PORT_END=${end.port}`);
  }
  for (const one of sorted) {
    const key = `${prefix}_PORT_${one.port}_${one.protocol.toUpperCase()}`;
    lines.push(`${key}=${url(one)}`, `${key}_ADDR=${ipv4}`, `${key}_PORT=${one.port}`, `${key}_PROTO=${one.protocol}`);
  }
  lines.push(`${prefix}_NAME=/${owner}/${alias}`);
  const own = env.filter((line) => line.includes('=') && !OWN_VARIABLES.has(line.slice(0, line.indexOf('='))));
  return [...new Set([...lines, ...own.map((line) => `${prefix}_ENV_${line}`)])];
}

function rank(protocol: string): number {
  return protocol === 'tcp' ? 0 : protocol === 'udp' ? 1 : 2;
}

function runsOf<T extends { readonly port: number; readonly protocol: string }>(sorted: readonly T[]): readonly T[][] {
  const runs: T[][] = [];
  for (const one of sorted) {
    const before = runs.at(-1)?.at(-1);
    if (before && before.protocol === one.protocol && before.port + 1 === one.port) runs.at(-1)?.push(one);
    else runs.push([one]);
  }
  return runs.filter((run) => run.length >= RANGE_LENGTH);
}
