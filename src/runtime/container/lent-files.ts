import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { flags, mount, umount } from '../linux/libc.ts';
import type { BindRequest } from '../spec/mounts.ts';

/** A read-only file that a step sees and no disk ever holds. */
export interface LentFile {
  readonly type: 'file';
  readonly target: string;
  readonly content: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const lentFolder = (bundle: string) => `${bundle}/lent`;

/** Writes files to memory of the bundle's own. `takeBack` undoes it. */
export function lendFiles(bundle: string, files: readonly LentFile[]): readonly BindRequest[] {
  if (files.length === 0) return [];
  const folder = lentFolder(bundle);
  mkdirSync(folder, { mode: 0o700 });
  mount('berth', folder, 'tmpfs', flags.MS_NOSUID | flags.MS_NODEV | flags.MS_NOEXEC, 'mode=700');
  return files.map(({ target, content, mode, uid, gid }, index) => {
    const source = `${folder}/${index}`;
    writeFileSync(source, content, { mode: 0o600 });
    chownSync(source, uid, gid);
    chmodSync(source, mode);
    return { source, target, readonly: true, options: [] };
  });
}

/** Forgets what was lent. What an engine that died had lent is gone from its namespace, or is forgotten here. */
export function takeBack(bundle: string): void {
  const folder = lentFolder(bundle);
  if (!existsSync(folder)) return;
  try {
    umount(folder, flags.MNT_DETACH);
  } catch {
    // Not mounted, or not any more.
  }
}
