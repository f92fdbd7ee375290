import { closeSync, mkdtempSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../../../src/linux/index.ts';
import { connectSeqpacket } from '../../../src/runtime/linux/seqpacket.ts';

let folder: string;
let listener: number;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/berth-seq-`);
  const path = `${folder}/socket`;
  const address = Buffer.concat([Buffer.from([1, 0]), Buffer.from(`${path}\0`)]);
  listener = call('int socket(int, int, int)', 1, 5, 0);
  call('int bind(int, const void*, uint32_t)', listener, address, address.length);
  call('int listen(int, int)', listener, 5);
});
afterEach(() => {
  closeSync(listener);
  rmSync(folder, { recursive: true });
});

const connect = () => {
  const socket = connectSeqpacket(`${folder}/socket`);
  return { socket, peer: call('int accept(int, void*, void*)', listener, null, null) };
};

describe('a SEQPACKET connection', () => {
  it('keeps packets apart in both directions, and says EOF while it still reads', async () => {
    const { socket, peer } = connect();
    const packets: string[] = [];
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    socket.on('data', (packet: Buffer) => packets.push(packet.toString()));
    socket.on('end', resolve);
    const sent = Promise.withResolvers<void>();
    socket.write('one', () => socket.write('two', () => socket.end(() => sent.resolve())));
    await sent.promise;
    const buffer = Buffer.alloc(100);
    const receive = () => buffer.toString('utf8', 0, readSync(peer, buffer));
    expect([receive(), receive(), receive()]).toEqual(['one', 'two', '']);
    writeSync(peer, 'three');
    writeSync(peer, 'four');
    closeSync(peer);
    await ended;
    expect(packets).toEqual(['three', 'four']);
  });

  it('fails as node:fs does when nobody listens', () => {
    expect(() => connectSeqpacket(`${folder}/none`)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => connectSeqpacket(`/${'x'.repeat(120)}`)).toThrow('socket path longer than 107 bytes');
  });
});
