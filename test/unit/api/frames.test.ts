import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, streamContentType } from '../../../src/api/contract/index.ts';

const frame = fc.record({
  stream: fc.constantFrom('stdin' as const, 'stdout' as const, 'stderr' as const),
  payload: fc.uint8Array({ maxLength: 300 }),
});

describe('frames of a multiplexed stream', () => {
  it('have the stream number, zeros and a big-endian length before the payload', () => {
    expect([...encodeFrame('stderr', Buffer.from('hi'))]).toEqual([2, 0, 0, 0, 0, 0, 0, 2, 0x68, 0x69]);
  });

  it('come back whole, wherever the chunks were cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(400), { maxLength: 40 }), (frames, cuts) => {
        const wire = Buffer.concat(frames.map(({ stream, payload }) => encodeFrame(stream, payload)));
        const decoder = new FrameDecoder();
        const decoded = split(wire, cuts).flatMap((chunk) => decoder.push(chunk));
        expect(decoded.map(({ stream, payload }) => ({ stream, payload: [...payload] }))).toEqual(
          frames.map(({ stream, payload }) => ({ stream, payload: [...payload] })),
        );
        expect(decoder.pendingBytes).toBe(0);
      }),
    );
  });

  it('tell how much of an unfinished frame is there', () => {
    const decoder = new FrameDecoder();
    decoder.push(encodeFrame('stdout', Buffer.from('hello')).subarray(0, 10));
    expect(decoder.pendingBytes).toBe(10);
  });

  it('refuse bytes that are no frames', () => {
    expect(() => new FrameDecoder().push(Buffer.from('HTTP/1.1'))).toThrow(/not a multiplexed stream/);
  });

  it('are announced from API 1.42 on, when there is no terminal', () => {
    expect(streamContentType(false, true)).toBe('application/vnd.docker.multiplexed-stream');
    expect(streamContentType(true, true)).toBe('application/vnd.docker.raw-stream');
    expect(streamContentType(false, false)).toBe('application/vnd.docker.raw-stream');
  });
});

function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}
