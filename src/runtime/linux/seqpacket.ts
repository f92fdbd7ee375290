import { Socket } from 'node:net';
import { call } from '../../linux/index.ts';

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
/** `sun_path` has 108 bytes, one of them for the final NUL. */
export const longestSocketPath = 107;

interface PipeHandle {
  open(fd: number): number;
}
interface PipeWrap {
  readonly Pipe: new (type: number) => PipeHandle;
  readonly constants: { readonly SOCKET: number };
}

/**
 * Connects to a SEQPACKET socket, which `node:net` cannot (EPROTOTYPE). One packet is one `data` event, and one
 * finished write is one packet. The stream is half-open: `end()` says EOF and goes on reading.
 * Node has no public way to give a stream a socket of this type, so its internal pipe handle is used, here only.
 */
export function connectSeqpacket(path: string): Socket {
  const length = Buffer.byteLength(path);
  if (length > longestSocketPath) throw new Error(`socket path longer than ${longestSocketPath} bytes: ${path}`);
  const address = Buffer.alloc(2 + length + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  const fd = call('int socket(int, int, int)', AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  try {
    call('int connect(int, const void*, uint32_t)', fd, address, address.length);
  } catch (error) {
    call('int close(int)', fd);
    throw error;
  }
  const { Pipe, constants } = (process as unknown as { binding(name: string): unknown }).binding(
    'pipe_wrap',
  ) as PipeWrap;
  const handle = new Pipe(constants.SOCKET);
  const failure = handle.open(fd);
  if (failure !== 0) {
    call('int close(int)', fd);
    throw new Error(`this Node cannot use a SEQPACKET socket (error ${failure})`);
  }
  return new Socket({ handle, readable: true, writable: true, allowHalfOpen: true } as never);
}
