import { open } from 'node:fs/promises';
import { BerthError } from '../../../errors/index.ts';

const PIECE = 512 * 1024;

/**
 * A part of a file in pieces, out of two buffers in turn: a piece stays as it is until the next but one is asked for,
 * which a writer that waits for `drain` does when the kernel has it. Memory is the same for a part of any length.
 * @throws BerthError `internal` when the file ends before the part
 */
export async function* filePieces(path: string, offset: number, length: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const size = Math.min(PIECE, length);
    let [current, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(length > PIECE ? size : 0)];
    for (let done = 0; done < length; ) {
      const { bytesRead } = await file.read(current, 0, Math.min(size, length - done), offset + done);
      if (bytesRead === 0) throw new BerthError('internal', `${path} ends before ${offset + length} bytes`);
      done += bytesRead;
      yield current.subarray(0, bytesRead);
      [current, other] = [other, current];
    }
  } finally {
    await file.close();
  }
}
