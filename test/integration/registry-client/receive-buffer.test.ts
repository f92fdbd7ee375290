import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { call, limitReceiveBuffer } from '../../../src/linux/index.ts';

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;

function receiveBuffer(fd: number): number {
  const [value, length] = [Buffer.alloc(4), Buffer.from([4, 0, 0, 0])];
  call('int getsockopt(int, int, int, void *, void *)', fd, SOL_SOCKET, SO_RCVBUF, value, length);
  return value.readUInt32LE();
}

it('lets the kernel hold half a MiB for the reader of a near connection, and not what it likes', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
    limitReceiveBuffer(fd);
    // The kernel doubles what it is told: the rest is for its own use. @see socket(7)
    expect(receiveBuffer(fd)).toBe(2 * 512 * 1024);
  } finally {
    socket.destroy();
    server.close();
  }
});

it('says what the kernel says of what is no socket', () => {
  const fd = openSync('/dev/null', 'r');
  try {
    expect(() => limitReceiveBuffer(fd)).toThrow('ENOTSOCK');
  } finally {
    closeSync(fd);
  }
});
