import { capabilitySets, resolveCapabilities } from './capabilities.ts';
import { defaultDeviceRules, everyDevice, privilegedDevices } from './devices.ts';
import { completeEnvironment } from './environment.ts';
import { type BindRequest, bindMount, byDepth, kernelMounts, type TmpfsRequest, tmpfsMount } from './mounts.ts';
import type { ProcessNetwork } from './network-files.ts';
import type { OciConfig, OciDevice, OciMount } from './oci-config.ts';
import { maskedPaths, readonlyPaths } from './paths.ts';
import { seccompProfile } from './seccomp.ts';
import type { Identity } from './user.ts';

/** What a container is to be, with its user already resolved. */
export interface ContainerPlan {
  readonly id: string;
  readonly rootPath: string;
  readonly readonlyRoot: boolean;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly identity: Identity;
  readonly hostname: string;
  /** Whether HOSTNAME goes into the environment: in a container, not in a build step. */
  readonly announceHostname: boolean;
  readonly tty: boolean;
  readonly network: ProcessNetwork;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly binds: readonly BindRequest[];
  readonly tmpfs: readonly TmpfsRequest[];
  readonly shmSizeBytes: number;
  /** Host paths of the files bound over /etc/hosts, /etc/resolv.conf and, when given, /etc/hostname. */
  readonly files: { readonly hosts: string; readonly resolvConf: string; readonly hostname?: string };
  /** Host path of a static init that reaps children, when one is wanted. */
  readonly initPath?: string;
}

/** What the machine gives and demands. */
export interface MachineFacts {
  readonly architecture: string;
  readonly cgroups: 'v1' | 'v2';
  /** Capabilities that the engine itself holds. */
  readonly capabilities: ReadonlySet<string>;
  readonly oomScoreAdj: number;
  /** Nodes in the host's /dev, for privileged containers. */
  readonly devices: readonly OciDevice[];
}

const initTarget = '/sbin/docker-init';

/**
 * The runtime's `config.json` for a container.
 * @throws BerthError for capabilities and mount options that do not exist
 */
export function ociConfig(plan: ContainerPlan, machine: MachineFacts): OciConfig {
  const capabilities = resolveCapabilities({
    add: plan.capAdd,
    drop: plan.capDrop,
    privileged: plan.privileged,
    available: machine.capabilities,
  });
  const seccomp = plan.privileged ? undefined : seccompProfile(capabilities, machine.architecture);
  const { identity } = plan;
  return {
    ociVersion: '1.0.0',
    process: {
      terminal: plan.tty,
      // The primary group is supplementary too, so that dropping it cannot widen access (CVE-2022-36109).
      user: { uid: identity.uid, gid: identity.gid, additionalGids: [...new Set([identity.gid, ...identity.groups])] },
      args: plan.initPath ? [initTarget, '--', ...plan.argv] : plan.argv,
      env: completeEnvironment(plan.env, {
        home: identity.home,
        tty: plan.tty,
        ...(plan.announceHostname ? { hostname: plan.hostname } : {}),
      }),
      cwd: plan.cwd,
      capabilities: capabilitySets(capabilities),
      // A supervisor may protect itself from the OOM killer; its container must not inherit that.
      oomScoreAdj: Math.max(0, machine.oomScoreAdj),
    },
    root: { path: plan.rootPath, readonly: plan.readonlyRoot },
    hostname: plan.hostname,
    mounts: containerMounts(plan),
    linux: {
      namespaces: [
        ...['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
        ...networkNamespace(plan.network),
        ...(machine.cgroups === 'v2' ? [{ type: 'cgroup' }] : []),
      ],
      cgroupsPath: `/berth/${plan.id}`,
      resources: { devices: plan.privileged ? everyDevice : defaultDeviceRules },
      devices: plan.privileged ? privilegedDevices(machine.devices) : [],
      maskedPaths: plan.privileged ? [] : maskedPaths,
      readonlyPaths: plan.privileged ? [] : readonlyPaths,
      ...(seccomp ? { seccomp } : {}),
    },
  };
}

function networkNamespace(network: ProcessNetwork): OciConfig['linux']['namespaces'] {
  if (network === 'host') return [];
  return [{ type: 'network', ...(network === 'none' ? {} : { path: network.namespacePath }) }];
}

/** The kernel's mounts, then the engine's files, then the user's; a user's mount replaces one on the same path. */
function containerMounts(plan: ContainerPlan): readonly OciMount[] {
  const user = byDepth([...plan.binds.map(bindMount), ...plan.tmpfs.map(tmpfsMount)]);
  const taken = new Set(user.map((mount) => mount.destination));
  const engine = [
    ...kernelMounts({ shmSizeBytes: plan.shmSizeBytes, privileged: plan.privileged, cgroup: true }),
    ...fileMounts(plan),
  ].filter((mount) => !taken.has(mount.destination));
  return [...engine, ...user];
}

function fileMounts(plan: ContainerPlan): readonly OciMount[] {
  // With a read-only root the files are part of it, as in Docker.
  const access = plan.readonlyRoot ? 'ro' : 'rw';
  const file = (source: string, destination: string, options: readonly string[]): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', ...options],
  });
  return [
    file(plan.files.resolvConf, '/etc/resolv.conf', [access]),
    ...(plan.files.hostname ? [file(plan.files.hostname, '/etc/hostname', [access])] : []),
    file(plan.files.hosts, '/etc/hosts', [access]),
    ...(plan.initPath ? [file(plan.initPath, initTarget, ['ro'])] : []),
  ];
}
