/** The text of a container's `/etc/hosts`, and of its `/etc/resolv.conf`. Pure. */
const LOOPBACK = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

export function hostsFile(entries: readonly HostsEntry[]): string {
  return [...LOOPBACK, ...entries.map(({ address, names }) => `${address}\t${names.join(' ')}`), ''].join('\n');
}

export interface ResolverChoices {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Servers of a host whose own are only reachable from itself. @see moby, libnetwork/resolvconf */
const PUBLIC_SERVERS = ['8.8.8.8', '8.8.4.4'];

/**
 * What the host's file says, but for what the container chooses itself. Servers on the host's loopback are left out:
 * in a container that is another one. A search domain `.` means none.
 * @param resolver the address of the engine's own resolver, which asks those servers for the container
 */
export function resolvConf(host: string, chosen: ResolverChoices, resolver?: string): string {
  const words = (keyword: string) =>
    host.split('\n').flatMap((line) => {
      const [first, ...rest] = line.trim().split(/\s+/);
      return first === keyword ? rest : [];
    });
  const usable = words('nameserver').filter((server) => !isLoopback(server));
  const servers = chosen.servers.length > 0 ? chosen.servers : usable.length > 0 ? usable : PUBLIC_SERVERS;
  const search = chosen.search.length > 0 ? chosen.search.filter((domain) => domain !== '.') : words('search');
  const options = chosen.options.length > 0 ? chosen.options : words('options');
  return [
    ...(resolver ? [resolver] : servers).map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n');
}

function isLoopback(server: string): boolean {
  return server.startsWith('127.') || server === '::1';
}
