import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BerthError } from '../errors/index.ts';
import type { CliEnvironment, OutputStream } from './environment.ts';
import { copy } from './streams/attach.ts';

/** The disk begins to write what has come while more comes: little is left for the end. */
const SYNC_BYTES = 32 << 20;

/**
 * Writes a tar to the file of `-o`, which appears only when it is complete, or to stdout, which must not be a terminal.
 * `open` asks the engine once the target is known to be fine.
 */
export async function writeArchive(
  open: () => Promise<AsyncIterable<Uint8Array>>,
  output: string | undefined,
  { stdout, cwd }: Pick<CliEnvironment, 'stdout' | 'cwd'>,
): Promise<void> {
  if (!output) return await toStdout(open, stdout);
  const path = resolve(cwd, output);
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory()) throw new BerthError('invalid', `${output} is a directory: -o names a file`);
  // A device or a pipe cannot be replaced: it is written to.
  if (existing && !existing.isFile()) return await writeInto(path, await open());
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory())
    throw new BerthError('invalid', `cannot write ${output}: the folder ${dirname(output)} does not exist`);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    await writeInto(temporary, await open());
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function toStdout(open: () => Promise<AsyncIterable<Uint8Array>>, stdout: OutputStream): Promise<void> {
  if (stdout.isTTY) {
    throw new BerthError('invalid', 'refusing to write an archive to a terminal', {
      hint: 'use -o FILE, or redirect stdout',
    });
  }
  await copy(await open(), stdout);
}

async function writeInto(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'w', 0o600);
  let syncing: Promise<void> | undefined;
  try {
    const isFile = (await file.stat()).isFile();
    let unsynced = 0;
    for await (const chunk of content) {
      await file.write(chunk);
      unsynced += chunk.length;
      if (!isFile || unsynced < SYNC_BYTES || syncing) continue;
      unsynced = 0;
      syncing = file.datasync().finally(() => {
        syncing = undefined;
      });
      // The last sync tells of it again.
      syncing.catch(() => {});
    }
    await syncing;
    if (isFile) await file.sync();
  } finally {
    await syncing?.catch(() => {});
    await file.close();
  }
}
