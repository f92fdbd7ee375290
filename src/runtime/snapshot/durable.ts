import { closeSync, openSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { syncfs } from '../linux/libc.ts';
import { fsPath } from './tree/fs-path.ts';

/** Above this, writing out the whole file system is cheaper than file by file. */
export const MAX_LISTED_FILES = 32;

/** Writes a JSON file that is whole or not there after a crash. */
export async function writeJson(path: string, value: unknown, options: { readonly sync: boolean }): Promise<void> {
  const temp = `${path}.tmp`;
  const file = await open(temp, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value)}\n`);
    if (options.sync) await file.sync();
  } finally {
    await file.close();
  }
  await rename(temp, path);
}

/** Makes the names in a directory, and what was renamed into it, durable. */
export async function syncDirectory(path: string): Promise<void> {
  await syncFile(path);
}

/** Makes file contents durable: those named one by one, else all of the file system. */
export async function syncFiles(folder: string, files: readonly string[] | undefined): Promise<void> {
  if (files !== undefined) {
    await Promise.all(files.map((path) => syncFile(`${folder}/${path}`)));
    return;
  }
  const fd = openSync(folder, 'r');
  try {
    await syncfs(fd);
  } finally {
    closeSync(fd);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(fsPath(path), 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
