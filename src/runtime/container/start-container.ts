import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { startTicks } from '../../linux/index.ts';
import type { ContainerIsolation, ContainerLimits } from '../../oci/index.ts';
import { makingCgroups } from '../cgroup/parents.ts';
import { launch } from '../conmon/launch.ts';
import { deleteContainer, findProgram, type RuntimeProgram } from '../crun/invoke.ts';
import { ociConfig } from '../spec/config.ts';
import type { BindRequest, TmpfsRequest } from '../spec/mounts.ts';
import type { NetworkPlan, ProcessNetwork } from '../spec/network-files.ts';
import { withBindSources } from './bind-sources.ts';
import type { StepMachinery } from './build-step.ts';
import { bundleFolder, makeBundle, removeBundle, writeConfig, writeNetworkFiles } from './bundle.ts';
import { identityInRoot } from './root-users.ts';
import { sharedMemory } from './shared-memory.ts';

/** Everything that decides a container's process, resolved. */
export interface ContainerRequest {
  readonly id: string;
  readonly runtime: string;
  readonly rootPath: string;
  readonly readonlyRoot: boolean;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly hostname: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  /**
   * The first attached client that ends its input, or leaves, ends the process's stdin; so only one client may attach.
   * Otherwise, and always with a terminal, stdin stays open for the next client.
   */
  readonly stdinOnce: boolean;
  readonly network: ProcessNetwork;
  readonly names?: NonNullable<NetworkPlan['names']>;
  readonly init: boolean;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly binds: readonly BindRequest[];
  readonly tmpfs: readonly TmpfsRequest[];
  readonly shmSizeBytes: number;
  readonly limits?: ContainerLimits;
  readonly isolation?: ContainerIsolation;
}

/** A container's process as it was started; enough to find it again after an engine restart. */
export interface ContainerProcess {
  readonly pid: number;
  readonly startTicks: string;
  readonly supervisorPid: number;
  readonly bundle: string;
}

/** Static inits that distributions ship, by preference. A dynamic one would need the image's own libraries. */
const inits = ['docker-init', 'tini-static', 'catatonit'];
const privateInits = ['/usr/libexec/docker/docker-init', '/usr/libexec/podman/catatonit'];

/**
 * Sets a container up, paused before its command, with a supervisor that logs from the first byte. Nothing stays when it fails.
 * @throws BerthError by kind: see `startError`; bad users, capabilities and mounts are `invalid`
 */
export async function createContainer(
  request: ContainerRequest,
  logPath: string,
  conmon: string,
  machinery: StepMachinery,
): Promise<ContainerProcess> {
  const { argv, id, rootPath } = request;
  if (argv.length === 0) throw new BerthError('invalid', 'no command specified');
  const bundle = bundleFolder(machinery.paths, id);
  const files = makeBundle(bundle);
  try {
    writeNetworkFiles(files, request);
    const initPath = request.init ? staticInit() : undefined;
    const identity = identityInRoot(rootPath, request.user, request.isolation?.groups);
    const shared = {
      ...request,
      identity,
      files,
      announceHostname: true,
      shm: sharedMemory(bundle, request),
      ...(initPath ? { initPath } : {}),
    };
    mkdirSync(dirname(logPath), { recursive: true });
    return await withBindSources(bundle, request.binds, identity, async (binds) => {
      const config = ociConfig({ ...shared, binds }, machinery.machine);
      // A user's own profile may hold more than what is compiled here.
      const isOwn = typeof request.isolation?.seccomp === 'object';
      writeConfig(bundle, isOwn ? config : machinery.filters.attach(config));
      return await superviseContainer(request, { bundle, logPath, conmon }, machinery);
    });
  } catch (error) {
    await deleteContainer(machinery.program, id).catch(() => {});
    removeBundle(bundle);
    throw error;
  }
}

async function superviseContainer(
  request: ContainerRequest,
  place: { readonly bundle: string; readonly logPath: string; readonly conmon: string },
  machinery: { readonly program: RuntimeProgram; readonly paths: { readonly exits: string } },
): Promise<ContainerProcess> {
  const options = {
    containerId: request.id,
    bundle: place.bundle,
    exitFolder: machinery.paths.exits,
    tty: request.tty,
    stdin: request.openStdin,
    leaveStdinOpen: request.tty || !request.stdinOnce,
    logPath: place.logPath,
    argv: request.argv,
  };
  const { pid, supervisorPid } = await makingCgroups(() => launch(place.conmon, machinery.program, options));
  return { pid, startTicks: startTicks(pid) ?? '', supervisorPid, bundle: place.bundle };
}

function staticInit(): string {
  const path =
    inits.map(findProgram).find((found) => found !== undefined) ?? privateInits.find((file) => existsSync(file));
  if (path) return path;
  throw new BerthError('unavailable', 'no init program for --init is installed', {
    hint: 'install one: apt-get install tini',
  });
}
