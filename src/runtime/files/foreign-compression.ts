import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { compressionOf } from '../../archive/index.ts';
import { BerthError } from '../../errors/index.ts';

/** The host's own programs. No PATH is asked: it may be the one of whoever started the engine. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin'];
const PACKAGES = { xz: 'xz-utils', bzip2: 'bzip2' } as const;
const HEAD_BYTES = 6;

/**
 * Unpacks xz and bzip2, which Node cannot, by the host's programs; everything else passes as it is.
 * @throws BerthError `unsupported` where the program is missing, `invalid` for damaged data
 */
export async function* withoutForeignCompression(
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  try {
    while (length < HEAD_BYTES) {
      const next = await chunks.next();
      if (next.done) break;
      head.push(next.value);
      length += next.value.length;
    }
    const whole = (async function* () {
      yield* head;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    })();
    const format = compressionOf(Buffer.concat(head));
    yield* format === 'xz' || format === 'bzip2' ? unpack(format, whole, signal) : whole;
  } finally {
    await chunks.return?.();
  }
}

async function* unpack(
  format: 'xz' | 'bzip2',
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const child = spawn(programOf(format), ['-d', '-c', '-q'], { stdio: ['pipe', 'pipe', 'ignore'], env: {}, cwd: '/' });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  ended.catch(() => {});
  const abort = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', abort);
  let failure: unknown;
  const feeding = pipeline(Readable.from(source, { objectMode: false }), child.stdin).catch((error: unknown) => {
    // A program that has seen enough closes its end; what is wrong then is in its exit code.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') failure = error;
    child.stdin.destroy();
  });
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const code = await ended;
    await feeding;
    signal?.throwIfAborted();
    if (failure !== undefined) throw failure;
    if (code !== 0) throw new BerthError('invalid', `damaged ${format} data`);
  } finally {
    signal?.removeEventListener('abort', abort);
    child.kill('SIGKILL');
  }
}

function programOf(format: 'xz' | 'bzip2'): string {
  const program = FOLDERS.map((folder) => `${folder}/${format}`).find(isExecutable);
  if (program !== undefined) return program;
  throw new BerthError('unsupported', `the archive is compressed with ${format}, which this machine cannot unpack`, {
    hint: `install ${PACKAGES[format]}, or compress the archive with gzip or zstd`,
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
