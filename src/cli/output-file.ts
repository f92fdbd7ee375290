import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BerthError } from '../errors/index.ts';
import type { CliEnvironment, OutputStream } from './environment.ts';
import { copy } from './streams/attach.ts';

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
  try {
    for await (const chunk of content) await file.write(chunk);
    const { isFile } = await file.stat().then((info) => ({ isFile: info.isFile() }));
    if (isFile) await file.sync();
  } finally {
    await file.close();
  }
}
