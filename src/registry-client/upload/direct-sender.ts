import { BerthError } from '../../errors/index.ts';
import { nextLocation } from './location.ts';
import type { BlobSource, ChunkSender } from './ports.ts';

/** Sends chunks from this process: one that is killed loses those under way. */
export const directSender: ChunkSender = {
  async ready() {},
  async send({ url, headers, source, offset, length, note, transport, signal }) {
    const began = performance.now();
    let sentAt = began;
    const body = async function* () {
      yield* slice(source, offset, length);
      sentAt = performance.now();
    };
    const response = await transport.send({ method: 'PATCH', url, headers, body: body(), signal });
    const answered = performance.now();
    if (response.status < 300) await note?.memory.note(note.key, nextLocation(response, url).href);
    return { response, tookMs: answered - began, waitedMs: answered - sentAt };
  },
};

/** Exactly `length` bytes of a blob. @throws BerthError `internal` when it has fewer */
export async function* slice(source: BlobSource, from: number, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const bytes of source.open(from)) {
    yield bytes.subarray(0, left);
    left -= Math.min(left, bytes.length);
    if (left === 0) return;
  }
  throw new BerthError('internal', `blob ${source.digest} is shorter than the ${source.size} bytes said`);
}
