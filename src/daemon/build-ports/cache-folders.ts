import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import type { CacheFolderRequest, CacheFolders, Opened } from '../../builder/ports.ts';

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
  readonly folder: string;
  readonly slots: Slot[];
  readonly waiting: Set<() => void>;
}

/**
 * Cache folders below `folder`: `<hash of id>/<number>`, with the id beside them for people. Only one engine has the
 * data folder, so who uses what is known in memory.
 */
export function openCacheFolders(folder: string): CacheFolders {
  const shelves = new Map<string, Promise<Shelf>>();
  return {
    async open(request) {
      const name = createHash('sha256').update(request.id).digest('hex');
      const opening = shelves.get(name) ?? openShelf(`${folder}/${name}`, request.id);
      shelves.set(name, opening);
      opening.catch(() => shelves.delete(name));
      const shelf = await opening;
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
  return { folder, slots, waiting: new Set() };
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
