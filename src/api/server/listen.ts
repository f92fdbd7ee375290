import { chmod, lstat, mkdtemp, rename, rm, rmdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { isLoopback } from './guard.ts';

export interface UnixAddress {
  readonly path: string;
  /** Permission bits of the socket file. Default 0600. */
  readonly mode?: number;
}

export interface TcpAddress {
  /** A loopback address: there is no login. */
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
}

/** Bytes of `sun_path`, less its final zero. */
const MAX_SOCKET_PATH = 107;

/**
 * Listens on a socket file that nobody can open with wider permissions than asked for, not even for a moment: it is
 * made in a private folder, gets its mode there, and is then moved to its place. A dead socket there is replaced.
 * @throws BerthError `conflict` when someone else listens there or the path is something else; `invalid`
 * @returns removes the file, unless another server has replaced it
 */
export async function listenUnix(server: Server, { path, mode = 0o600 }: UnixAddress): Promise<() => Promise<void>> {
  const folder = dirname(path);
  await refuseOccupied(path);
  const nursery = await mkdtemp(join(folder, '.s-'));
  const born = join(nursery, 's');
  try {
    if (Buffer.byteLength(born) > MAX_SOCKET_PATH || Buffer.byteLength(path) > MAX_SOCKET_PATH) {
      throw new BerthError('invalid', `the socket path is too long: ${path}`, {
        hint: `use a folder with a shorter name: ${MAX_SOCKET_PATH} bytes is what the system allows`,
      });
    }
    await listening(server, () => server.listen(born));
    await chmod(born, mode);
    await rename(born, path);
  } finally {
    await rm(born, { force: true });
    await rmdir(nursery);
  }
  const { ino, dev } = await lstat(path);
  return async () => {
    const now = await lstat(path).catch(() => undefined);
    if (now?.ino === ino && now.dev === dev) await rm(path, { force: true });
  };
}

/** @throws BerthError `forbidden` for an address that others can reach @returns the port */
export async function listenTcp(server: Server, { host, port }: TcpAddress): Promise<number> {
  if (!isLoopback(host)) {
    throw new BerthError('forbidden', `refusing to listen on ${host}: the API has no login there`, {
      hint: 'use 127.0.0.1, or reach the socket through SSH',
    });
  }
  await listening(server, () => server.listen(port, host));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function listening(server: Server, listen: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const kind = cause.code === 'EADDRINUSE' ? 'conflict' : cause.code === 'EACCES' ? 'forbidden' : 'internal';
      reject(new BerthError(kind, `cannot listen: ${cause.message}`, { cause }));
    });
    server.once('listening', () => {
      server.removeAllListeners('error');
      resolve();
    });
    listen();
  });
}

async function refuseOccupied(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isSocket()) throw new BerthError('conflict', `${basename(path)} exists and is not a socket: ${path}`);
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
  if (alive) throw new BerthError('conflict', `another engine listens on ${path}`);
}
