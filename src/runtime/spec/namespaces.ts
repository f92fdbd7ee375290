import type { ContainerIsolation, NamespaceChoice } from '../../oci/index.ts';
import type { ProcessNetwork } from './network-files.ts';
import type { OciConfig } from './oci-config.ts';

type Namespace = OciConfig['linux']['namespaces'][number];

/**
 * The namespaces of a container's own, and those of other processes that it joins; what is not listed is the host's.
 * Pure.
 */
export function ociNamespaces(
  network: ProcessNetwork,
  choices: Partial<ContainerIsolation['namespaces']>,
  cgroups: 'v1' | 'v2',
  privileged: boolean,
): readonly Namespace[] {
  // Docker keeps the host's view on v1, and for privileged containers on v2. @see moby daemon config, cgroup namespaces
  const ownCgroup = cgroups === 'v2' && !privileged ? 'private' : 'host';
  return [
    ...namespace('pid', choices.pid),
    ...namespace('ipc', choices.ipc),
    ...namespace('uts', choices.uts),
    { type: 'mount' },
    ...networkNamespace(network),
    ...namespace('cgroup', choices.cgroup?.kind === 'default' ? undefined : choices.cgroup, ownCgroup),
  ];
}

function namespace(
  type: 'pid' | 'ipc' | 'uts' | 'cgroup',
  choice: NamespaceChoice | undefined,
  otherwise: 'private' | 'host' = 'private',
): readonly Namespace[] {
  const { kind } = choice ?? { kind: otherwise };
  if (kind === 'host') return [];
  return choice?.kind === 'process' ? [{ type, path: `/proc/${choice.pid}/ns/${type}` }] : [{ type }];
}

function networkNamespace(network: ProcessNetwork): readonly Namespace[] {
  if (network === 'host') return [];
  return [{ type: 'network', ...(network === 'none' ? {} : { path: network.namespacePath }) }];
}
