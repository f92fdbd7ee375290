import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { BerthError } from '../../errors/index.ts';
import { coverWithV1View, needsV1View } from './cgroup.ts';
import { flags, mount, setns, unshare } from './libc.ts';

const ownNamespace = '/proc/thread-self/ns/mnt';

/**
 * Moves this process into the engine's own mount namespace, so that no mount of Berth ever shows, or stays, on the
 * host: the namespace ends by itself with the last of engine, supervisors and containers. Supervisors of an earlier
 * engine that still live keep it alive, and then it is joined.
 *
 * Only the calling thread moves; threads and processes that it starts later follow. So it must run at process start,
 * synchronously, before anything uses the thread pool. Idempotent for a process.
 * @throws BerthError `forbidden` without the right to do so, `internal` when it is called too late
 */
export function enterNamespace(options: {
  readonly supervisorPid: number | undefined;
  readonly scratchFolder: string;
}): void {
  if (entered) return;
  requireYoungProcess();
  try {
    if (options.supervisorPid === undefined) leaveHostNamespace();
    else joinNamespace(options.supervisorPid);
    if (needsV1View()) coverWithV1View(options.scratchFolder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EPERM' && code !== 'EACCES') throw error;
    throw new BerthError('forbidden', 'the engine may not make a mount namespace', {
      hint: 'run it as root (in a container: with CAP_SYS_ADMIN)',
      cause: error,
    });
  }
  entered = true;
}

let entered = false;

/** Checks that file operations of the thread pool see the same mounts as this thread. */
export async function verifyNamespace(): Promise<void> {
  if (readlinkSync(ownNamespace) === (await readlink(ownNamespace))) return;
  throw tooLate();
}

function leaveHostNamespace(): void {
  unshare(flags.CLONE_NEWNS);
  // Slave: what the host mounts later is seen here, what is mounted here is not seen there.
  mount('none', '/', null, flags.MS_REC | flags.MS_SLAVE, null);
}

function joinNamespace(pid: number): void {
  const directory = process.cwd();
  const fd = openSync(`/proc/${pid}/ns/mnt`, 'r');
  try {
    // A thread that shares its root and working directory with others may not change namespaces.
    unshare(flags.CLONE_FS);
    setns(fd, flags.CLONE_NEWNS);
  } finally {
    closeSync(fd);
  }
  process.chdir(existsSync(directory) ? directory : '/');
}

/** Node names its pool threads; where it does not (before 24), `verifyNamespace` finds out. */
function requireYoungProcess(): void {
  const threads = readdirSync('/proc/self/task').map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim();
    } catch {
      return '';
    }
  });
  if (threads.some((name) => name.startsWith('libuv-worker'))) throw tooLate();
}

function tooLate(): BerthError {
  return new BerthError(
    'internal',
    'the engine entered its mount namespace too late: the thread pool was already running',
    {
      hint: 'enterEngineNamespace must be the first thing that the process does',
    },
  );
}
