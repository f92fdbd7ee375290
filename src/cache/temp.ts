import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Marks the temps of this process, so that a sweep takes only what a dead one left behind. */
const OWNER = randomBytes(6).toString('hex');
const NAME = /^(?:blob|document|spool)-([0-9a-f]{12})-\d+$/;
let count = 0;

/** A path below `<data>/tmp` that nobody else uses; the folder is made, the path is not. The caller removes it. */
export async function tempPath(dataFolder: string, kind: 'blob' | 'document' | 'spool'): Promise<string> {
  const folder = join(dataFolder, 'tmp');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  count += 1;
  return join(folder, `${kind}-${OWNER}-${count}`);
}

/** Removes temps of processes that are gone. Files with other names are left alone. @returns how many were removed */
export async function sweepTemps(dataFolder: string): Promise<number> {
  const folder = join(dataFolder, 'tmp');
  let removed = 0;
  for (const name of await namesIn(folder)) {
    const owner = NAME.exec(name)?.[1];
    if (owner === undefined || owner === OWNER) continue;
    await rm(join(folder, name), { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

/** Names in a folder, none when it does not exist. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT';
}
