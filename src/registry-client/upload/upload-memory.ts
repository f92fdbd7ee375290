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
    if (now() - statSync(path).mtimeMs > KEEP_MS) rmSync(path, { force: true });
  }
  const pathOf = (key: string) => join(folder, createHash('sha256').update(key).digest('hex'));
  return {
    recall: (key) =>
      readFile(pathOf(key), 'utf8').then(
        (text) => text || undefined,
        () => undefined,
      ),
    async note(key, location) {
      const path = pathOf(key);
      const file = await open(`${path}.new`, 'w', 0o600);
      try {
        await file.writeFile(location);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
    },
    forget: (key) => rm(pathOf(key), { force: true }),
  };
}
