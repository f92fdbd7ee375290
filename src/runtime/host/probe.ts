import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { isBerthError } from '../../errors/index.ts';
import { findProgram } from '../crun/invoke.ts';
import { cgroupLayout, needsV1View } from '../linux/cgroup.ts';
import { chooseDriver, type DriverName } from '../snapshot/index.ts';

/** One thing that a machine should be able to do. */
export interface Capability {
  readonly name: string;
  readonly status: 'ok' | 'limited' | 'missing';
  /** False only when it is missing. */
  readonly ok: boolean;
  /** What was found: a version, a kind, or what is missing. */
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
  /** Nothing works without it. */
  readonly required: boolean;
}

type Finding = Pick<Capability, 'status' | 'detail' | 'advice'>;

export interface ProbeOptions {
  /** Of the engine, `<root>/layout-v1`. It may be missing yet. */
  readonly dataFolder: string;
  /** The storage driver that was asked for. */
  readonly driver?: DriverName | undefined;
}

interface Probe {
  readonly name: string;
  readonly required: boolean;
  readonly look: (options: ProbeOptions) => Finding | Promise<Finding>;
}

const run = promisify(execFile);

const probes: readonly Probe[] = [
  { name: 'rights', required: true, look: rights },
  { name: 'runtime', required: true, look: runtimes },
  { name: 'supervisor', required: true, look: () => program('conmon', ['--version'], 'apt-get install conmon') },
  { name: 'storage', required: true, look: storage },
  { name: 'cgroups', required: true, look: cgroups },
  { name: 'seccomp', required: false, look: seccomp },
  { name: 'erofs', required: false, look: erofs },
  { name: 'init', required: false, look: init },
  { name: 'nftables', required: false, look: () => program('nft', ['--version'], 'apt-get install nftables') },
  { name: 'iproute2', required: false, look: () => program('ip', ['-V'], 'apt-get install iproute2') },
  { name: 'user namespaces', required: false, look: userNamespaces },
];

/** What this machine can do for containers; nothing is changed. */
export async function probeHost(options: Partial<ProbeOptions> = {}): Promise<readonly Capability[]> {
  return await Promise.all(
    probes.map(async ({ name, required, look }) => {
      const finding = await look({ dataFolder: tmpdir(), ...options });
      return { name, required, ok: finding.status !== 'missing', ...finding };
    }),
  );
}

function rights(): Finding {
  if (process.geteuid?.() === 0) return { status: 'ok', detail: 'root' };
  return { status: 'missing', detail: `user ${process.geteuid?.()}`, advice: 'run as root' };
}

async function runtimes(): Promise<Finding> {
  const found = await Promise.all(['crun', 'runc'].map((name) => program(name, ['--version'], '')));
  const present = found.filter((finding) => finding.status === 'ok').map((finding) => finding.detail);
  if (present.length > 0) return { status: 'ok', detail: present.join(', ') };
  return { status: 'missing', detail: 'neither crun nor runc is installed', advice: 'apt-get install crun' };
}

async function program(name: string, versionArguments: readonly string[], advice: string): Promise<Finding> {
  const path = findProgram(name);
  if (!path) return { status: 'missing', detail: `${name} is not installed`, advice };
  try {
    const { stdout } = await run(path, versionArguments);
    const line = stdout.split('\n')[0]!.trim();
    return {
      status: 'ok',
      detail: line.startsWith(name) ? line.replace(' version', '') : `${name} ${line.replace(/^.*?(\d)/, '$1')}`,
    };
  } catch (error) {
    return { status: 'missing', detail: `${path} does not run: ${(error as Error).message.split('\n')[0]}`, advice };
  }
}

/** Which storage driver the data folder has or would get. */
function storage({ dataFolder, driver }: ProbeOptions): Finding {
  try {
    const choice = chooseDriver({ dataFolder, wanted: driver });
    const detail = `${choice.driver}: ${choice.why}`;
    if (choice.driver !== 'vfs') return { status: 'ok', detail };
    return {
      status: 'limited',
      detail,
      advice: 'each container takes a copy of its image: put BERTH_ROOT on ext4, xfs, tmpfs or btrfs',
    };
  } catch (error) {
    const advice = (isBerthError(error) && error.hint) || 'run as root, and make the folder of BERTH_ROOT writable';
    return { status: 'missing', detail: (error as Error).message, advice };
  }
}

function cgroups(): Finding {
  const layout = cgroupLayout();
  if (layout === 'none')
    return { status: 'missing', detail: 'no cgroups are mounted', advice: 'mount cgroup2 on /sys/fs/cgroup' };
  if (needsV1View()) return { status: 'ok', detail: 'hybrid; containers see the v1 controllers' };
  return { status: 'ok', detail: layout };
}

function seccomp(): Finding {
  if (existsSync('/proc/sys/kernel/seccomp/actions_avail'))
    return { status: 'ok', detail: 'the kernel filters system calls' };
  return {
    status: 'missing',
    detail: 'the kernel has no seccomp filters',
    advice: 'use a kernel with CONFIG_SECCOMP_FILTER',
  };
}

function erofs(): Finding {
  if (/\terofs$/m.test(readFileSync('/proc/filesystems', 'utf8')))
    return { status: 'ok', detail: 'the kernel mounts EROFS' };
  return {
    status: 'missing',
    detail: 'the kernel does not know EROFS',
    advice: 'modprobe erofs; until then layers are folders',
  };
}

function init(): Finding {
  const found = ['docker-init', 'tini-static', 'catatonit'].find(findProgram);
  return found
    ? { status: 'ok', detail: found }
    : { status: 'missing', detail: 'no init for --init', advice: 'apt-get install tini' };
}

function userNamespaces(): Finding {
  const limit = Number(readSetting('/proc/sys/user/max_user_namespaces') || '0');
  if (limit === 0)
    return { status: 'missing', detail: 'no user namespaces', advice: 'sysctl user.max_user_namespaces=15000' };
  if (readSetting('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return { status: 'limited', detail: 'for root only', advice: 'sysctl kernel.unprivileged_userns_clone=1' };
  }
  return { status: 'ok', detail: `up to ${limit}` };
}

function readSetting(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
