import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { BerthError } from '../errors/index.ts';
import { lockFile } from '../runtime/index.ts';

export interface RootLock {
  release(): void;
}

/**
 * Makes this process the only writer of a data folder. The kernel drops the lock when the process ends, however it
 * ends; the pid in the file is only there to be told.
 * @throws BerthError `conflict` when another process has it
 */
export function lockRoot(file: string): RootLock {
  const fd = openSync(file, 'a+', 0o600);
  if (!lockFile(fd)) {
    const owner = readFileSync(file, 'utf8').trim();
    closeSync(fd);
    throw new BerthError('conflict', `another engine${owner ? ` (pid ${owner})` : ''} uses this data folder: ${file}`, {
      hint: 'set BERTH_ROOT and BERTH_RUN_ROOT to other folders to run a second engine beside it',
    });
  }
  ftruncateSync(fd);
  writeSync(fd, String(process.pid));
  return { release: () => closeSync(fd) };
}
