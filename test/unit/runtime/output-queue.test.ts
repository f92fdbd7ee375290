import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type OutputChunk, OutputQueue } from '../../../src/runtime/container/output-queue.ts';

async function readAll(queue: OutputQueue): Promise<OutputChunk[]> {
  const chunks: OutputChunk[] = [];
  for await (const chunk of queue) chunks.push(chunk);
  return chunks;
}

const half = Buffer.alloc(600 * 1024);

describe('output on its way to a reader', () => {
  it('arrives in order, then ends', async () => {
    const queue = new OutputQueue();
    queue.push('stdout', Buffer.from('a'));
    queue.push('stderr', Buffer.from('b'));
    queue.end();
    const got = await readAll(queue);
    expect(got.map(({ stream, chunk }) => [stream, chunk.toString()])).toEqual([
      ['stdout', 'a'],
      ['stderr', 'b'],
    ]);
  });

  it('holds its source back while the reader is slow', async () => {
    const source = new PassThrough();
    const queue = new OutputQueue();
    queue.addSource(source);
    queue.push('stdout', half);
    expect(source.isPaused()).toBe(false);
    queue.push('stdout', half);
    expect(source.isPaused()).toBe(true);
    const reader = queue[Symbol.asyncIterator]();
    await reader.next();
    await reader.next();
    expect(source.isPaused()).toBe(false);
  });

  it('gives up a reader that takes nothing for too long', async () => {
    const { promise: stalled, resolve } = Promise.withResolvers<void>();
    const queue = new OutputQueue({ stallMs: 5, onStall: resolve });
    queue.push('stdout', half);
    queue.push('stdout', half);
    await stalled;
    queue.end(new Error('too slow'));
    await expect(readAll(queue)).rejects.toThrow('too slow');
  });
});
