import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { BerthError } from '../../errors/index.ts';
import type { RootFiles } from '../files/index.ts';
import { flags, mount, umountInThread } from '../linux/libc.ts';
import { mountsBelow } from '../linux/mount-table.ts';
import { type VolumeMount, volumeMount } from './driver-options.ts';

/** What a removal that was cut short leaves behind begins so. No volume's name does. */
const REMOVED = '.removed-';

/** Data of volumes: `<folder>/<name>/_data`. Satisfies the engine's `VolumeHost`. */
export class VolumeFolders {
  readonly #folder: string;
  readonly #files: Pick<RootFiles, 'stat' | 'copy'>;

  /** @param folder absolute, owned by one engine */
  constructor(folder: string, files: Pick<RootFiles, 'stat' | 'copy'>) {
    this.#folder = folder;
    this.#files = files;
    mkdirSync(folder, { recursive: true, mode: 0o701 });
  }

  pathOf(name: string): string {
    return `${this.#folder}/${name}/_data`;
  }

  /** All that have data. Finishes removals that were cut short. */
  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith(REMOVED)) await rm(`${this.#folder}/${name}`, { recursive: true, force: true });
      else if (await isDirectory(this.pathOf(name))) names.push(name);
    }
    return names;
  }

  /** @throws BerthError `invalid` */
  checkOptions(options: Readonly<Record<string, string>>): void {
    volumeMount(options);
  }

  async create(name: string): Promise<void> {
    mkdirSync(this.pathOf(name), { recursive: true, mode: 0o755 });
  }

  /** The name is free at once, whatever happens to what lies below it. */
  async remove(name: string): Promise<void> {
    await this.unmount(name);
    const trash = `${this.#folder}/${REMOVED}${randomBytes(6).toString('hex')}`;
    await rename(`${this.#folder}/${name}`, trash);
    await rm(trash, { recursive: true, force: true });
  }

  /** Mounts what the driver's options say over the folder. Idempotent; nothing to do for a plain volume. */
  async mount(name: string, options: Readonly<Record<string, string>>): Promise<void> {
    const wanted = volumeMount(options);
    if (wanted === undefined || this.#isMounted(name)) return;
    const data = [wanted.data, ...(wanted.host === undefined ? [] : [`addr=${await addressOf(wanted.host)}`])];
    try {
      mountVolume(wanted, this.pathOf(name), data.filter((text) => text !== '').join(','));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new BerthError(
        'invalid',
        `failed to mount local volume: mount ${wanted.device}:${this.pathOf(name)}, flags: 0x${wanted.flags.toString(16)}, data: ${data.join(',')}: ${code}`,
        { hint: hintFor(code, wanted), cause: error },
      );
    }
  }

  async unmount(name: string): Promise<void> {
    if (this.#isMounted(name)) await umountInThread(this.pathOf(name), flags.MNT_DETACH);
  }

  /**
   * Copies a folder of a root into a volume that is empty, and gives the volume that folder's owner and mode. Links of
   * the root are followed inside it only; a folder that is not there leaves the volume as it is.
   */
  async populate(name: string, source: { readonly root: string; readonly path: string }): Promise<void> {
    const target = this.pathOf(name);
    const origin = await this.#files.stat(source.root, source.path);
    if (origin?.type !== 'directory' || (await readdir(target)).length > 0) return;
    await this.#files.copy({ fromRoot: source.root, fromPath: source.path, toRoot: target, toPath: '' });
    chownSync(target, origin.uid, origin.gid);
    chmodSync(target, origin.mode);
  }

  /** Bytes of file content. A file with several names counts once. */
  async usage(name: string): Promise<number> {
    return await sizeOf(Buffer.from(this.pathOf(name)), new Set());
  }

  #isMounted(name: string): boolean {
    return mountsBelow(`${this.#folder}/${name}`).includes(this.pathOf(name));
  }
}

function mountVolume({ type, device, flags: mountFlags }: VolumeMount, target: string, data: string): void {
  mount(device, target, type, mountFlags, data === '' ? null : data);
  // A bind takes its other flags in a second call only.
  const rest = mountFlags & ~(flags.MS_BIND | flags.MS_REC);
  if (mountFlags & flags.MS_BIND && rest !== 0) mount(device, target, type, mountFlags | flags.MS_REMOUNT, null);
}

async function addressOf(host: string): Promise<string> {
  if (isIP(host)) return host;
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new BerthError('unavailable', `error resolving passed in network volume address: ${host}`, { cause });
  }
}

function hintFor(code: string | undefined, { type, device }: VolumeMount): string {
  if (code === 'ENODEV') return `this kernel does not know the file system ${type}`;
  if (code === 'ENOENT') return `make ${device} first`;
  return 'check the options type, device and o of the volume';
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Names are bytes: they need not be text. */
async function sizeOf(folder: Buffer, seen: Set<string>): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { encoding: 'buffer' }).catch(() => [])) {
    const path = Buffer.concat([folder, Buffer.from('/'), name]);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isDirectory()) bytes += await sizeOf(path, seen);
    if (!stats?.isFile()) continue;
    const inode = `${stats.dev}:${stats.ino}`;
    if (stats.nlink > 1 && seen.has(inode)) continue;
    seen.add(inode);
    bytes += stats.size;
  }
  return bytes;
}
