/** `/etc/hosts` of a container without any network but its own loopback. */
export const loopbackHosts = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
  '',
].join('\n');

/** What the host's own name resolution says: the texts of its files, empty when it has none. */
export interface HostNetworkFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

/** The three files that are bound over a container's /etc. */
export interface NetworkFiles {
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
}

/** On the host's network a container resolves names as the host does; on none it has only itself. */
export function networkFiles(network: 'host' | 'none', hostname: string, host: HostNetworkFiles): NetworkFiles {
  const hosts = network === 'host' && host.hosts !== '' ? host.hosts : loopbackHosts;
  return { hosts, resolvConf: network === 'host' ? host.resolvConf : '', hostname: `${hostname}\n` };
}
