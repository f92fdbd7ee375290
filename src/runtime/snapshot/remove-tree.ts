import { readdir, rename, rm } from 'node:fs/promises';

/** Well below what the kernel takes as one path (4096). */
const MAX_PATH_BYTES = 2000;

/**
 * Deletes a tree; one that is not there is fine. Also one whose paths are longer than the kernel takes, which a process
 * in a container can make step by step: such parts are first moved beside the tree.
 */
export async function removeTree(path: string): Promise<void> {
  const trees = [path];
  for (let tree = trees.pop(); tree !== undefined; tree = trees.pop()) {
    try {
      await rm(tree, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
      trees.push(tree, ...(await cutDeepParts(tree)));
    }
  }
}

let moved = 0;

async function cutDeepParts(tree: string): Promise<string[]> {
  const cut: string[] = [];
  const pending: Buffer[] = [Buffer.from(tree)];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
      if (!entry.isDirectory()) continue;
      const path = Buffer.concat([directory, Buffer.from('/'), entry.name]);
      if (path.length - tree.length < MAX_PATH_BYTES) {
        pending.push(path);
        continue;
      }
      moved += 1;
      const aside = `${tree}.${moved}`;
      await rename(path, aside);
      cut.push(aside);
    }
  }
  return cut;
}
