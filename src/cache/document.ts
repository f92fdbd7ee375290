import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing, tempPath } from './temp.ts';

export interface WriteOptions {
  /** False skips fsync: for documents whose loss is only a cache miss. */
  readonly durable: boolean;
}

/** Replaces a small file in one step: readers see the old text or the new one. */
export async function replaceDocument(
  dataFolder: string,
  path: string,
  text: string,
  { durable }: WriteOptions,
): Promise<void> {
  const temp = await tempPath(dataFolder, 'document');
  try {
    const file = await open(temp, 'wx', 0o600);
    try {
      await file.writeFile(text);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await moveInto(temp, path);
    if (durable) await syncFolder(dirname(path));
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
}

/** The text of a small file, undefined when there is none. */
export async function readDocument(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** `rename` that makes the target's folder when it is missing. */
export async function moveInto(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await rename(from, to);
  }
}

/** Makes renames within a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle: FileHandle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
