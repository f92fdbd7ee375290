import type { ContainerIsolation, ContainerLimits } from '../../oci/index.ts';
import { capabilitySets, resolveCapabilities } from './capabilities.ts';
import { defaultDeviceRules, everyDevice, givenDevices, parseDeviceRule, privilegedDevices } from './devices.ts';
import { completeEnvironment } from './environment.ts';
import { type BindRequest, bindMount, byDepth, kernelMounts, type TmpfsRequest, tmpfsMount } from './mounts.ts';
import { ociNamespaces } from './namespaces.ts';
import type { ProcessNetwork } from './network-files.ts';
import type { OciConfig, OciDevice, OciMount } from './oci-config.ts';
import { unlimited } from './oci-json.ts';
import { maskedPaths, readonlyPaths } from './paths.ts';
import { type DeviceNumberOf, ociResources } from './resources.ts';
import { seccompProfile } from './seccomp.ts';
import { customSeccomp } from './seccomp-profile.ts';
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
  /** Absent: a file system of its own. */
  readonly shm?: SharedMemory;
  readonly limits?: ContainerLimits;
  readonly isolation?: ContainerIsolation;
  /** Host path of a static init that reaps children, when one is wanted. */
  readonly initPath?: string;
}

/** Where a container's /dev/shm comes from. */
export type SharedMemory = { readonly kind: 'own' | 'none' } | { readonly kind: 'bind'; readonly source: string };

/** What the machine gives and demands. */
export interface MachineFacts {
  readonly architecture: string;
  readonly cgroups: 'v1' | 'v2';
  /** Capabilities that the engine itself holds. */
  readonly capabilities: ReadonlySet<string>;
  readonly oomScoreAdj: number;
  /** As `6.1.0`. */
  readonly kernel: string;
  /** The device of a node on the host, or those below a folder. @throws BerthError */
  devicesAt(path: string): readonly OciDevice[];
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
  const { identity, isolation, privileged } = plan;
  const seccomp = seccompOf(plan, capabilities, machine);
  const given = (isolation?.devices ?? []).flatMap((device) => givenDevices(device, machine.devicesAt(device.source)));
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
      oomScoreAdj: isolation?.oomScoreAdj || Math.max(0, machine.oomScoreAdj),
      ...(isolation && isolation.ulimits.length > 0 ? { rlimits: isolation.ulimits.map(rlimit) } : {}),
      ...(isolation?.noNewPrivileges ? { noNewPrivileges: true } : {}),
      ...(isolation?.apparmor ? { apparmorProfile: isolation.apparmor } : {}),
    },
    root: { path: plan.rootPath, readonly: plan.readonlyRoot },
    // A host's name is not for a container to set.
    ...(isolation?.namespaces.uts.kind === 'host' ? {} : { hostname: plan.hostname }),
    mounts: containerMounts(plan),
    linux: {
      namespaces: ociNamespaces(plan.network, isolation?.namespaces ?? {}, machine.cgroups, privileged),
      cgroupsPath: `${cgroupParent(isolation)}/${plan.id}`,
      resources: {
        devices: privileged
          ? everyDevice
          : [
              ...defaultDeviceRules,
              ...given.map(({ rule }) => rule),
              ...(isolation?.deviceRules ?? []).map(parseDeviceRule),
            ],
        ...ociResources(plan.limits ?? {}, deviceNumbers(machine)),
      },
      ...(isolation && Object.keys(isolation.sysctls).length > 0 ? { sysctl: isolation.sysctls } : {}),
      devices: [...(privileged ? privilegedDevices(machine.devices) : []), ...given.map(({ device }) => device)],
      maskedPaths: isolation?.maskedPaths ?? (privileged ? [] : maskedPaths),
      readonlyPaths: isolation?.readonlyPaths ?? (privileged ? [] : readonlyPaths),
      ...(seccomp ? { seccomp } : {}),
    },
  };
}

/** Finds the numbers of devices on this machine. */
export function deviceNumbers(machine: Pick<MachineFacts, 'devicesAt'>): DeviceNumberOf {
  return (path) => {
    const [device] = machine.devicesAt(path);
    return { major: device?.major ?? 0, minor: device?.minor ?? 0 };
  };
}

/** Where the container's cgroup lies. */
export function cgroupParent(isolation: Pick<ContainerIsolation, 'cgroupParent'> | undefined): string {
  const parent = isolation?.cgroupParent.replace(/^\/+|\/+$/g, '');
  return parent ? `/${parent}` : '/berth';
}

function rlimit({ name, soft, hard }: ContainerIsolation['ulimits'][number]) {
  const value = (limit: number) => (limit === -1 ? unlimited : limit);
  return { type: `RLIMIT_${name.toUpperCase()}`, soft: value(soft), hard: value(hard) };
}

function seccompOf(
  { isolation, privileged }: ContainerPlan,
  capabilities: readonly string[],
  machine: MachineFacts,
): OciConfig['linux']['seccomp'] {
  const choice = isolation?.seccomp ?? (privileged ? 'unconfined' : 'default');
  if (choice === 'unconfined') return undefined;
  if (choice === 'default') return seccompProfile(capabilities, machine.architecture);
  return customSeccomp(choice.profile, capabilities, machine.architecture, machine.kernel);
}

/** The kernel's mounts, then the engine's files, then the user's; a user's mount replaces one on the same path. */
function containerMounts(plan: ContainerPlan): readonly OciMount[] {
  const user = byDepth([...plan.binds.map(bindMount), ...plan.tmpfs.map(tmpfsMount)]);
  const taken = new Set(user.map((mount) => mount.destination));
  const engine = [
    ...kernelMounts({
      shmSizeBytes: plan.shmSizeBytes,
      shm: plan.shm ?? { kind: 'own' },
      privileged: plan.privileged,
      cgroup: true,
    }),
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
