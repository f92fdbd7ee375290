import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../errors/index.ts';
import { readDocument, replaceDocument } from './document.ts';
import { serialQueue } from './serial.ts';
import { namesIn } from './temp.ts';

type Kind = 'container' | 'network' | 'volume';

const FOLDERS: Readonly<Record<Kind, string>> = { container: 'containers', network: 'networks', volume: 'volumes' };

/** Satisfies the engine's `ObjectStore`. */
export interface Objects {
  read<T>(kind: Kind, id: string): Promise<T | undefined>;
  write(kind: Kind, id: string, value: unknown): Promise<void>;
  remove(kind: Kind, id: string): Promise<void>;
  list(kind: Kind): Promise<readonly string[]>;
  folder(kind: Kind, id: string): Promise<string>;
}

interface Turns {
  readonly inTurn: ReturnType<typeof serialQueue>;
  /** The newest text that waits for its turn; an older one that still waits is never written. */
  waiting: { text: string; readonly written: Promise<void> } | undefined;
  users: number;
}

/** One folder per object with its `state.json`; writes of one object happen in order, and only the newest matters. */
export function openObjectStore(dataFolder: string): Objects {
  const turns = new Map<string, Turns>();

  const folderOf = (kind: Kind, id: string) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(id)) {
      throw new BerthError('invalid', `not an id: ${JSON.stringify(id.slice(0, 100))}`);
    }
    return join(dataFolder, FOLDERS[kind], id);
  };

  const withTurns = async <T>(key: string, use: (turn: Turns) => Promise<T>): Promise<T> => {
    const turn = turns.get(key) ?? { inTurn: serialQueue(), waiting: undefined, users: 0 };
    turns.set(key, turn);
    turn.users += 1;
    try {
      return await use(turn);
    } finally {
      turn.users -= 1;
      if (turn.users === 0) turns.delete(key);
    }
  };

  return {
    read: async <T>(kind: Kind, id: string) => {
      const path = join(folderOf(kind, id), 'state.json');
      const text = await readDocument(path);
      return text === undefined ? undefined : decode<T>(text, path);
    },
    write: async (kind, id, value) => {
      const folder = folderOf(kind, id);
      const text = JSON.stringify(value);
      await withTurns(folder, (turn) => {
        if (turn.waiting !== undefined) {
          turn.waiting.text = text;
          return turn.waiting.written;
        }
        const written = turn.inTurn(async () => {
          const newest = turn.waiting?.text ?? text;
          turn.waiting = undefined;
          await replaceDocument(dataFolder, join(folder, 'state.json'), newest, { durable: true });
        });
        turn.waiting = { text, written };
        return written;
      });
    },
    remove: async (kind, id) => {
      const folder = folderOf(kind, id);
      await withTurns(folder, ({ inTurn }) =>
        inTurn(async () => {
          // First what makes it exist: a crash in between leaves no half object.
          await rm(join(folder, 'state.json'), { force: true });
          await rm(folder, { recursive: true, force: true });
        }),
      );
    },
    list: async (kind) => {
      const ids = await namesIn(join(dataFolder, FOLDERS[kind]));
      const withState = await Promise.all(ids.map((id) => namesIn(join(dataFolder, FOLDERS[kind], id))));
      return ids.filter((_id, index) => withState[index]?.includes('state.json'));
    },
    folder: async (kind, id) => {
      const folder = folderOf(kind, id);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return folder;
    },
  };
}

function decode<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new BerthError('internal', `cannot be read: ${path}`, { cause, hint: 'remove the folder of this object' });
  }
}
