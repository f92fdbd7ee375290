import { call } from './ffi.ts';

/** Bytes that wait for a reader at most, on the nearest path. */
const LEAST = 512 * 1024;
/** A path that needs more than this is left to the kernel. */
const MOST = 2 * 1024 * 1024;
/** Bytes a microsecond (500 MB/s) that a connection of any path may still carry. */
const RATE = 500;

const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** Place and end of `tcpi_rtt`, in microseconds. @see linux/tcp.h, struct tcp_info */
const RTT = { offset: 68, end: 72 };

/**
 * Lets the kernel hold no more unread bytes of a connection than its path needs. A near host fills buffers of tens of
 * megabytes as soon as the reader is the slower one, and what is in them when the reader ends has to be sent again. The
 * connections of far hosts, whose speed depends on large buffers, stay as they are.
 * @param fd a connected TCP socket. @throws Error with `code`: `EPERM` without CAP_NET_ADMIN
 */
export function limitReceiveBuffer(fd: number): void {
  const info = Buffer.alloc(RTT.end);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(RTT.end);
  call('int getsockopt(int, int, int, void *, void *)', fd, IPPROTO_TCP, TCP_INFO, info, length);
  const bytes = Math.max(LEAST, info.readUInt32LE(RTT.offset) * RATE);
  if (bytes > MOST) return;
  const value = Buffer.alloc(4);
  value.writeInt32LE(bytes);
  call('int setsockopt(int, int, int, void *, uint32_t)', fd, SOL_SOCKET, SO_RCVBUFFORCE, value, 4);
}
