import { randomBytes } from 'node:crypto';
import { constants, readFileSync } from 'node:fs';
import { chown, lstat, mkdir, open, readlink, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '../../errors/index.ts';

/** A JSON object with keys that we need not know. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Writers hold the lock for as long as writing a small file takes: an older one is of a process that died. */
const STALE_MS = 30_000;
const PATIENCE_MS = 40_000;
const POLL_MS = 20;
const MAX_LINKS = 40;

/** Reads docker's `config.json`; a missing file is empty. @throws BerthError `invalid`, without the file's text */
export function readConfigFile(file: string): { readonly text: string; readonly value: JsonObject } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', value: {} };
    throw new BerthError('invalid', `${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (text.trim() === '') return { text, value: {} };
  try {
    return { text, value: objectOf(JSON.parse(text)) ?? {} };
  } catch {
    // The parser's own words would repeat a piece of the file.
    throw new BerthError('invalid', `${file} is not JSON`);
  }
}

/**
 * Changes docker's `config.json`: one writer at a time, with mode 0600, in place of the file that links lead to. Keys
 * that we do not know, their order and the indentation stay.
 * @param now milliseconds since the epoch
 * @throws BerthError `invalid`, `unavailable` while another process does not let go of it
 */
export async function updateConfigFile(
  file: string,
  change: (value: JsonObject) => JsonObject,
  now: () => number,
): Promise<void> {
  const target = await followLinks(file);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await using _lock = await lockBeside(target, now);
    const { text, value } = readConfigFile(target);
    const next = change(value);
    // Docker indents with a tab.
    const indent = /^\{\s*?\n([ \t]+)"/.exec(text)?.[1] ?? '\t';
    await replace(target, `${JSON.stringify(next, null, indent)}${/\n$/.exec(text)?.[0] ?? ''}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof BerthError || code === undefined) throw error;
    throw new BerthError('invalid', `${file} cannot be written: ${message}`, { cause: error });
  }
}

/** A link that leads to nothing yet tells where the file will be. */
async function followLinks(file: string): Promise<string> {
  let target = resolve(file);
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const info = await lstat(target).catch(() => undefined);
    if (!info?.isSymbolicLink()) return target;
    target = resolve(dirname(target), await readlink(target));
  }
  throw new BerthError('invalid', `${file} is a link that leads in a circle`);
}

async function lockBeside(target: string, now: () => number): Promise<AsyncDisposable> {
  const lock = `${target}.lock`;
  for (let waited = 0; ; waited += POLL_MS) {
    try {
      const handle = await open(lock, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
      await handle.close();
      return { [Symbol.asyncDispose]: () => rm(lock, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (waited > PATIENCE_MS) {
      throw new BerthError('unavailable', `${target} is locked by another process`, {
        hint: `remove ${lock} if no login is running`,
      });
    }
    const since = await stat(lock).catch(() => undefined);
    if (since !== undefined && now() - since.mtimeMs > STALE_MS) await rm(lock, { force: true });
    else await delay(POLL_MS);
  }
}

async function replace(target: string, text: string): Promise<void> {
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const owner = await stat(target).catch(() => undefined);
    // Root that logs in for a user leaves the user's file the user's.
    if (owner) await chown(temporary, owner.uid, owner.gid).catch(() => {});
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

export function objectOf(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}
