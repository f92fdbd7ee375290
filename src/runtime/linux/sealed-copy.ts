import { closeSync, readFileSync, writeSync } from 'node:fs';
import { call } from '../../linux/index.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Linux 6.3; before it, every file in memory may be executed. */
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, SHRINK, GROW and WRITE: nobody can ever change it. */
const allSeals = 1 | 2 | 4 | 8;

const copies = new Map<string, string>();

/**
 * A path by which a program can be executed from a sealed copy in memory, while this process lives. A runtime makes such
 * a copy (or a read-only mount) of itself at every start, and starts again from it, lest a container overwrites the host's
 * program (CVE-2019-5736). Finding itself sealed already it goes on at once: as safe, and a third faster.
 * @returns the program's own path where the kernel does not let files in memory be executed
 */
export function sealedCopy(program: string): string {
  let path = copies.get(program);
  if (path === undefined) {
    path = makeCopy(program) ?? program;
    copies.set(program, path);
  }
  return path;
}

function makeCopy(program: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openMemory(program);
    const content = readFileSync(program);
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
    call('int fcntl(int, int, int)', fd, F_ADD_SEALS, allSeals);
    return `/proc/${process.pid}/fd/${fd}`;
  } catch {
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
}

function openMemory(name: string): number {
  const create = (flags: number) => call('int memfd_create(const char*, unsigned int)', name, flags);
  try {
    return create(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    return create(MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
}
