import type { HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { ContainerIsolation, NamespaceChoice, Ulimit } from '../../oci/index.ts';
import { integerOf, listOf, recordOf, textOf, textsOf } from './fields.ts';
import { securityOptions } from './security-options.ts';

const ULIMITS = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
);

/**
 * How far a container is apart from the host and from others. Pure: names of containers are left to the start.
 * @throws BerthError `invalid`
 */
export function isolationOf(host: HostConfigBody, network: 'host' | 'own'): ContainerIsolation {
  const oomScoreAdj = integerOf(host, 'OomScoreAdj');
  if (oomScoreAdj < -1000 || oomScoreAdj > 1000) {
    throw invalid(`Invalid value ${oomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  const namespaces = {
    ipc: namespaceOf(host, 'IpcMode', ['host', 'none', 'shareable', 'private', 'container']),
    pid: namespaceOf(host, 'PidMode', ['host', 'container']),
    uts: namespaceOf(host, 'UTSMode', ['host']),
    cgroup: namespaceOf(host, 'CgroupnsMode', ['host', 'private']),
  };
  if (!['', 'host'].includes(textOf(host, 'UsernsMode'))) throw invalid(`invalid userns mode: ${host['UsernsMode']}`);
  return {
    oomScoreAdj,
    ulimits: listOf(host, 'Ulimits').map(ulimitOf),
    devices: listOf(host, 'Devices').map(deviceOf),
    deviceRules: textsOf(host, 'DeviceCgroupRules').map(checkedRule),
    cgroupParent: checkedParent(textOf(host, 'CgroupParent')),
    groups: textsOf(host, 'GroupAdd'),
    sysctls: checkedSysctls(recordOf(host['Sysctls']), { network, ...namespaces }),
    namespaces,
    ...securityOptions(textsOf(host, 'SecurityOpt'), host.Privileged ?? false),
    ...pathsOf(host, 'MaskedPaths', 'maskedPaths'),
    ...pathsOf(host, 'ReadonlyPaths', 'readonlyPaths'),
  };
}

/** An empty list takes all of them away; none leaves the defaults. */
function pathsOf<K extends string>(host: HostConfigBody, field: string, name: K): { [P in K]?: readonly string[] } {
  if (host[field] === null || host[field] === undefined) return {};
  return { [name]: textsOf(host, field) } as { [P in K]?: readonly string[] };
}

function namespaceOf(host: HostConfigBody, field: string, modes: readonly string[]): NamespaceChoice {
  const text = textOf(host, field);
  if (text === '') return { kind: 'default' };
  const [mode = '', container = ''] = text.split(/:(.*)/s);
  if (!modes.includes(mode) || (mode === 'container') !== text.includes(':')) {
    throw invalid(`invalid ${FIELD_WORDS[field] ?? field}: ${text}`);
  }
  if (mode === 'container') {
    if (container === '') throw invalid(`invalid ${FIELD_WORDS[field] ?? field}: no container is named`);
    return { kind: 'container', container };
  }
  return { kind: mode as 'host' | 'none' | 'shareable' | 'private' };
}

const FIELD_WORDS: Readonly<Record<string, string>> = {
  IpcMode: 'IPC mode',
  PidMode: 'PID mode',
  UTSMode: 'UTS mode',
  CgroupnsMode: 'cgroup namespace mode',
};

function ulimitOf(entry: unknown): Ulimit {
  const fields = recordOf(entry);
  const name = textOf(fields, 'Name').toLowerCase();
  const [soft, hard] = [integerOf(fields, 'Soft'), integerOf(fields, 'Hard')];
  if (!ULIMITS.has(name)) throw invalid(`invalid ulimit type: ${name}`);
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { name, soft, hard };
}

function deviceOf(entry: unknown): ContainerIsolation['devices'][number] {
  const fields = recordOf(entry);
  const source = textOf(fields, 'PathOnHost');
  const permissions = textOf(fields, 'CgroupPermissions') || 'rwm';
  if (!/^[rwm]{1,3}$/.test(permissions)) throw invalid(`invalid device mode: ${permissions}`);
  if (!source.startsWith('/')) throw invalid(`bad format for path: ${source}`);
  return { source, target: textOf(fields, 'PathInContainer') || source, permissions };
}

function checkedRule(rule: string): string {
  if (/^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(rule)) return rule;
  throw invalid(`invalid device cgroup rule format: '${rule}'`);
}

function checkedParent(parent: string): string {
  if (!parent.split('/').includes('..')) return parent;
  throw invalid(`invalid cgroup parent: ${parent}`);
}

type Spaces = { readonly network: 'host' | 'own' } & Pick<ContainerIsolation['namespaces'], 'ipc' | 'uts'>;

/** Kernel parameters that belong to one of the container's own namespaces. @see opencontainers libcontainer validator */
function checkedSysctls(sysctls: Readonly<Record<string, unknown>>, spaces: Spaces): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(sysctls)) {
    if (typeof value !== 'string') throw invalid(`sysctl '${name}' needs a value`);
    const space = spaceOf(name);
    if (!space) {
      throw new BerthError('invalid', `sysctl '${name}' is not allowed`, {
        hint: 'a container may set what is its own: net.*, fs.mqueue.*, kernel.shm*, kernel.msg*, kernel.sem',
      });
    }
    const isShared = space === 'network' ? spaces.network === 'host' : spaces[space].kind === 'host';
    if (isShared) throw invalid(`sysctl '${name}' not allowed in host ${space} namespace`);
  }
  return sysctls as Readonly<Record<string, string>>;
}

function spaceOf(name: string): 'network' | 'ipc' | 'uts' | undefined {
  if (name.startsWith('net.')) return 'network';
  if (name === 'kernel.domainname') return 'uts';
  if (/^(fs\.mqueue\.|kernel\.(msg(max|mnb|mni)|sem|shm(all|max|mni|_rmid_forced))$)/.test(name)) return 'ipc';
  return undefined;
}

function invalid(message: string): BerthError {
  return new BerthError('invalid', message);
}
