import { flags, flock } from './libc.ts';

/** Takes the exclusive lock of an open file, without waiting. False when another process has it. */
export function lockFile(fd: number): boolean {
  try {
    flock(fd, flags.LOCK_EX | flags.LOCK_NB);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
    throw error;
  }
}
