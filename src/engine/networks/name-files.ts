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

/** Servers of a host whose own are only reachable from itself. @see moby, libnetwork/internal/resolvconf */
const PUBLIC_SERVERS = ['8.8.8.8', '8.8.4.4'];
const PUBLIC_SERVERS_V6 = ['2001:4860:4860::8888', '2001:4860:4860::8844'];

/**
 * `/etc/resolv.conf` of a container that asks the servers itself: what the host's file says, but for what the container
 * chooses. Servers on the host's loopback are left out: in a container that is another one. So are IPv6 servers where
 * the container has no IPv6.
 */
export function resolvConf(host: string, chosen: ResolverChoices, network = { ipv6: false }): string {
  const settings = resolverSettings(host, chosen);
  if (chosen.servers.length > 0) return fileOf(settings);
  const usable = settings.servers.filter((server) => !isLoopback(server) && (network.ipv6 || !server.includes(':')));
  const fallback = network.ipv6 ? [...PUBLIC_SERVERS, ...PUBLIC_SERVERS_V6] : PUBLIC_SERVERS;
  return fileOf({ ...settings, servers: usable.length > 0 ? usable : fallback });
}

/**
 * `/etc/resolv.conf` of a container that asks the engine's resolver, which in turn asks the servers of
 * `resolverSettings`. Names without a dot are asked for as they are, because containers' names are such names.
 * @param resolver its address in the container
 */
export function resolvConfOfResolver(host: string, chosen: ResolverChoices, resolver: string): string {
  const settings = resolverSettings(host, chosen);
  const options = settings.options.filter((option) => !/^ndots:(?!\d+$)/.test(option));
  const hasDots = options.some((option) => option.startsWith('ndots:'));
  return fileOf({ ...settings, servers: [resolver], options: hasDots ? options : [...options, 'ndots:0'] });
}

/** What a container chooses, and for the rest what its host's `resolv.conf` says. A search domain `.` means none. */
export function resolverSettings(host: string, chosen: ResolverChoices): ResolverChoices {
  const lines = host.split('\n').map((line) => line.trim().split(/\s+/));
  const all = (keyword: string) => lines.flatMap(([first, ...rest]) => (first === keyword ? [rest] : []));
  const search = lines.findLast(([first, ...rest]) => (first === 'search' || first === 'domain') && rest.length > 0);
  return {
    servers: chosen.servers.length > 0 ? chosen.servers : all('nameserver').flatMap(([server]) => server ?? []),
    search: chosen.search.length > 0 ? chosen.search.filter((domain) => domain !== '.') : (search?.slice(1) ?? []),
    options: chosen.options.length > 0 ? chosen.options : all('options').flat(),
  };
}

function fileOf({ servers, search, options }: ResolverChoices): string {
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n');
}

function isLoopback(server: string): boolean {
  return server.startsWith('127.') || server === '::1';
}
