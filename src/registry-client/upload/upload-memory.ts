import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { UploadMemory } from './ports.ts';

/** Registries drop unfinished uploads themselves, most of them within a week. */
const KEEP_MS = 7 * 24 * 3600 * 1000;

/**
 * Uploads under way as one small file each. The addresses in them can be used by whoever knows them, so that only the
 * owner may read them.
 */
export function openUploadMemory(folder: string, now: () => number): UploadMemory {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    // A sender of an engine that was killed may still write here.
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && now() - stats.mtimeMs > KEEP_MS) rmSync(path, { force: true });
  }
  const fileOf = (key: string) => join(folder, createHash('sha256').update(key).digest('hex'));
  return {
    fileOf,
    recall: (key) =>
      readFile(fileOf(key), 'utf8').then(
        (text) => text || undefined,
        () => undefined,
      ),
    note: (key, location) => noteLocation(fileOf(key), location),
    forget: (key) => rm(fileOf(key), { force: true }),
  };
}

/** Writes a note so that it is there whole, or as it was before, whatever ends this process. */
export async function noteLocation(path: string, location: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(location);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
