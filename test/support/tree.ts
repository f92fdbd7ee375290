import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readTar } from '../../src/archive/index.ts';
import { readXattrs } from '../../src/runtime/linux/xattr.ts';

/** What must be equal in two trees, by path: type, mode, owner, size, link target, device, xattrs, content. */
export type Tree = Readonly<Record<string, string>>;

const counted = (name: string) => name === 'security.capability' || name.startsWith('user.');
const xattrText = (xattrs: ReadonlyMap<string, Uint8Array> | undefined) =>
  [...(xattrs ?? [])]
    .filter(([name]) => counted(name))
    .map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`)
    .sort()
    .join(',');
const sha = (data: Uint8Array) => createHash('sha256').update(data).digest('hex').slice(0, 16);
const line = (...parts: (string | number | undefined)[]) =>
  parts.filter((part) => part !== undefined && part !== '').join(' ');

/** A folder's tree. A hard link is a file like its first name: what counts is that both have one content. */
export function treeOfFolder(root: string): Tree {
  const tree: Record<string, string> = {};
  const visit = (relative: string) => {
    for (const name of readdirSync(`${root}/${relative}`)) {
      const path = relative === '' ? name : `${relative}/${name}`;
      const full = `${root}/${path}`;
      const stats = lstatSync(full);
      const mode = (stats.mode & 0o7777).toString(8);
      const owner = `${stats.uid}:${stats.gid}`;
      const xattrs = xattrText(readXattrs(full));
      if (stats.isDirectory()) {
        tree[path] = line('dir', mode, owner, xattrs);
        visit(path);
      } else if (stats.isSymbolicLink()) tree[path] = line('symlink', owner, readlinkSync(full));
      else if (stats.isFile()) tree[path] = line('file', mode, owner, stats.size, sha(readFileSync(full)), xattrs);
      else if (stats.isFIFO()) tree[path] = line('fifo', mode, owner);
      else if (stats.isCharacterDevice())
        tree[path] = line('char', mode, owner, `${stats.rdev >> 8},${stats.rdev & 0xff}`);
      else if (stats.isBlockDevice())
        tree[path] = line('block', mode, owner, `${stats.rdev >> 8},${stats.rdev & 0xff}`);
    }
  };
  visit('');
  return tree;
}

/** The tree that a tar of a whole root file system describes. */
export async function treeOfTar(file: string): Promise<Tree> {
  const tree: Record<string, string> = {};
  for await (const { entry, content } of readTar(createReadStream(file))) {
    const path = entry.name.replace(/^\.?\/+/, '').replace(/\/+$/, '');
    if (path === '' || path === '.') continue;
    const mode = entry.mode.toString(8);
    const owner = `${entry.uid}:${entry.gid}`;
    const xattrs = xattrText(entry.xattrs);
    switch (entry.type) {
      case 'directory':
        tree[path] = line('dir', mode, owner, xattrs);
        break;
      case 'symlink':
        tree[path] = line('symlink', owner, entry.linkName);
        break;
      case 'hardlink':
        tree[path] = tree[(entry.linkName ?? '').replace(/^\.?\/+/, '')] ?? 'hardlink to nothing';
        break;
      case 'file': {
        const chunks: Uint8Array[] = [];
        for await (const chunk of content) chunks.push(chunk);
        tree[path] = line('file', mode, owner, entry.size, sha(Buffer.concat(chunks)), xattrs);
        break;
      }
      case 'fifo':
        tree[path] = line('fifo', mode, owner);
        break;
      default:
        tree[path] = line(
          entry.type === 'block-device' ? 'block' : 'char',
          mode,
          owner,
          `${entry.major},${entry.minor}`,
        );
    }
  }
  return tree;
}

/** Differences between two trees, for a readable failure; files that an engine puts into every container left out. */
export function differences(left: Tree, right: Tree, ignored: readonly string[] = []): string[] {
  const paths = new Set([...Object.keys(left), ...Object.keys(right)].filter((path) => !ignored.includes(path)));
  return [...paths]
    .sort()
    .flatMap((path) => (left[path] === right[path] ? [] : [`${path}: ${left[path]} | ${right[path]}`]));
}
