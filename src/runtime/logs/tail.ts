import type { FileHandle } from 'node:fs/promises';
import { endsLine } from './parse.ts';

const NEWLINE = 0x0a;
const blockBytes = 64 * 1024;

/** Where the last `lines` lines of a log begin, found from its end: a long log is not read through. */
export async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  let position = (await file.stat()).size;
  let seen = 0;
  let carry: Buffer = Buffer.alloc(0);
  let atEnd = true;
  while (position > 0) {
    const start = Math.max(0, position - blockBytes);
    const data = Buffer.concat([await readExactly(file, start, position - start), carry]);
    // The first record of the block may begin in the block before it.
    const firstNewline = data.indexOf(NEWLINE);
    const whole = start === 0 ? 0 : firstNewline < 0 ? data.length : firstNewline + 1;
    let end = data.length;
    while (end > whole) {
      const begin = end < 2 ? 0 : data.lastIndexOf(NEWLINE, end - 2) + 1;
      const record = data.subarray(begin, data[end - 1] === NEWLINE ? end - 1 : end);
      // A last line that has not ended yet is a line too.
      if (endsLine(record) || atEnd) seen += 1;
      atEnd = false;
      if (seen > lines) return start + end;
      end = begin;
    }
    carry = data.subarray(0, end);
    position = start;
  }
  return 0;
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
