import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../errors/index.ts';

/** Opens a file that the user named. @throws BerthError `not-found`, `invalid` */
export async function openInput(name: string, cwd: string): Promise<Readable> {
  const path = resolve(cwd, name);
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new BerthError(error.code === 'ENOENT' ? 'not-found' : 'invalid', `cannot open ${name}: ${reason(error)}`);
  });
  if (info.isDirectory()) throw new BerthError('invalid', `${name} is a directory, not an archive`);
  return createReadStream(path);
}

function reason(error: NodeJS.ErrnoException): string {
  return { ENOENT: 'no such file', EACCES: 'permission denied' }[error.code ?? ''] ?? error.message;
}
