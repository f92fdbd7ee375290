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

/** The network of a process: the host's, none but a loopback, or the one at a path. */
export type ProcessNetwork = 'host' | 'none' | { readonly namespacePath: string };

export interface NetworkPlan {
  readonly network: ProcessNetwork;
  readonly hostname: string;
  /** The texts of files that are not to be what the network implies. */
  readonly names?: { readonly hosts?: string; readonly resolvConf?: string };
}

/** On the host's network a container resolves names as the host does; on none it has only itself. */
export function networkFiles(plan: NetworkPlan, host: HostNetworkFiles): NetworkFiles {
  const { network, hostname, names = {} } = plan;
  const implied = network === 'host' && host.hosts !== '' ? host.hosts : loopbackHosts;
  return {
    hosts: names.hosts ?? implied,
    resolvConf: names.resolvConf ?? (network === 'host' ? host.resolvConf : ''),
    hostname: `${hostname}\n`,
  };
}
