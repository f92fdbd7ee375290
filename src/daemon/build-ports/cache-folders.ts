import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import type { CacheFolderRequest, CacheFolders, Opened } from '../../builder/ports.ts';

/** What is known of the folders of one id. Times are milliseconds since the epoch. */
export interface ShelfInfo {
  readonly name: string;
  readonly folder: string;
  readonly id: string;
  readonly inUse: boolean;
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

/** Cache folders, and what a clean-up needs to know of them. */
export interface CacheShelves extends CacheFolders {
  list(): Promise<readonly ShelfInfo[]>;
  /** @returns false, having changed nothing, when a step uses it */
  remove(name: string): Promise<boolean>;
}

/** One folder of an id. */
interface Slot {
  readonly path: string;
  users: number;
  exclusive: boolean;
  /** Resolves when its first content is there. */
  made: Promise<void>;
}

/** All folders of an id, and who waits for one. */
interface Shelf {
  /** Set when its folder is gone: who comes later opens a new one. */
  removed: boolean;
  readonly folder: string;
  readonly slots: Slot[];
  readonly waiting: Set<() => void>;
}

/**
 * Cache folders below `folder`: `<hash of id>/<number>`, with the id beside them for people. Only one engine has the
 * data folder, so who uses what is known in memory.
 */
export function openCacheFolders(folder: string): CacheShelves {
  const shelves = new Map<string, Promise<Shelf>>();
  const shelfOf = (name: string, id: string) => {
    const opening = shelves.get(name) ?? openShelf(`${folder}/${name}`, id);
    shelves.set(name, opening);
    opening.catch(() => shelves.delete(name));
    return opening;
  };
  return {
    async list() {
      const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
      const listed = await Promise.all(
        names.map(async (name) => {
          const shelf = await shelves.get(name)?.catch(() => undefined);
          return describe(`${folder}/${name}`, name, shelf !== undefined && isUsed(shelf));
        }),
      );
      return listed.filter((item) => item !== undefined);
    },
    async remove(name) {
      const shelf = await shelves.get(name)?.catch(() => undefined);
      // Nothing may come between this look and the rename.
      if (shelf !== undefined && isUsed(shelf)) return false;
      if (shelf !== undefined) shelf.removed = true;
      shelves.delete(name);
      const aside = `${folder}/removed-${name}`;
      renameSync(`${folder}/${name}`, aside);
      await rm(aside, { recursive: true, force: true });
      return true;
    },
    async open(request) {
      const name = createHash('sha256').update(request.id).digest('hex');
      let shelf = await shelfOf(name, request.id);
      while (shelf.removed) shelf = await shelfOf(name, request.id);
      const slot = await takeSlot(shelf, request);
      try {
        await slot.made;
      } catch (error) {
        forget(shelf, slot);
        throw error;
      }
      return opened(shelf, slot);
    },
  };
}

/** What a crash left half-made has another name, and is thrown away. */
async function openShelf(folder: string, id: string): Promise<Shelf> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(`${folder}/id`, `${id}\n`);
  const slots: Slot[] = [];
  for (const name of await readdir(folder)) {
    if (/^\d+$/.test(name))
      slots.push({ path: `${folder}/${name}`, users: 0, exclusive: false, made: Promise.resolve() });
    else if (name.endsWith('.new')) await rm(`${folder}/${name}`, { recursive: true, force: true });
  }
  return { folder, slots, waiting: new Set(), removed: false };
}

function isUsed({ slots, waiting }: Shelf): boolean {
  return waiting.size > 0 || slots.some(({ users }) => users > 0);
}

async function describe(folder: string, name: string, inUse: boolean): Promise<ShelfInfo | undefined> {
  try {
    const [id, stats] = await Promise.all([readFile(`${folder}/id`, 'utf8'), stat(`${folder}/id`)]);
    return { name, folder, id: id.trimEnd(), inUse, createdAt: stats.birthtimeMs, lastUsedAt: stats.mtimeMs };
  } catch {
    // It has just been removed, or is being made.
    return undefined;
  }
}

async function takeSlot(shelf: Shelf, request: CacheFolderRequest): Promise<Slot> {
  for (;;) {
    request.signal.throwIfAborted();
    const slot = freeSlot(shelf, request.sharing) ?? newSlot(shelf, request);
    if (slot) {
      slot.users += 1;
      slot.exclusive = request.sharing !== 'shared';
      return slot;
    }
    await released(shelf, request.signal);
  }
}

function freeSlot({ slots }: Shelf, sharing: CacheFolderRequest['sharing']): Slot | undefined {
  const inUse = sharing === 'shared' ? slots.find((slot) => slot.users > 0 && !slot.exclusive) : undefined;
  return inUse ?? slots.find((slot) => slot.users === 0);
}

/** Who wants a locked cache waits for the one that there is. */
function newSlot(shelf: Shelf, request: CacheFolderRequest): Slot | undefined {
  if (request.sharing === 'locked' && shelf.slots.length > 0) return undefined;
  const taken = new Set(shelf.slots.map((slot) => slot.path));
  let number = 0;
  while (taken.has(`${shelf.folder}/${number}`)) number += 1;
  const path = `${shelf.folder}/${number}`;
  const slot: Slot = { path, users: 0, exclusive: false, made: makeSlot(path, request) };
  slot.made.catch(() => {});
  shelf.slots.push(slot);
  return slot;
}

async function makeSlot(path: string, { uid, gid, mode, fill }: CacheFolderRequest): Promise<void> {
  const draft = `${path}.new`;
  try {
    await mkdir(draft);
    await chown(draft, uid, gid);
    await chmod(draft, mode);
    await fill?.(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

function opened(shelf: Shelf, slot: Slot): Opened {
  let isOpen = true;
  return {
    path: slot.path,
    async release() {
      if (!isOpen) return;
      isOpen = false;
      slot.users -= 1;
      wake(shelf);
      // Tells when it was used last.
      const now = new Date();
      await utimes(`${shelf.folder}/id`, now, now).catch(() => {});
    },
  };
}

/** Also called by those who waited for it with others. */
function forget(shelf: Shelf, slot: Slot): void {
  const at = shelf.slots.indexOf(slot);
  if (at >= 0) shelf.slots.splice(at, 1);
  wake(shelf);
}

function wake({ waiting }: Shelf): void {
  for (const go of [...waiting]) go();
}

function released({ waiting }: Shelf, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  waiting.add(resolve);
  signal.addEventListener('abort', abort, { once: true });
  return promise.finally(() => {
    waiting.delete(resolve);
    signal.removeEventListener('abort', abort);
  });
}
