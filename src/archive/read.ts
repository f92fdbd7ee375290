import type { TarEntry } from './entry.ts';
import { type TarLimits, TarParser } from './parser.ts';

export interface ArchiveMember {
  readonly entry: TarEntry;
  /** May be read once, before the next member is asked for; what is not read is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

type Event = { readonly entry: TarEntry } | { readonly chunk: Buffer } | 'entry-end';

/**
 * Reads an uncompressed tar, entry by entry.
 * @throws BerthError `invalid` naming the entry; `unsupported` for GNU sparse files
 */
export async function* readTar(source: AsyncIterable<Uint8Array>, limits?: TarLimits): AsyncGenerator<ArchiveMember> {
  const events: Event[] = [];
  let taken = 0;
  const parser = new TarParser(
    {
      entry: (entry) => events.push({ entry }),
      content: (chunk) => events.push({ chunk: Buffer.from(chunk) }),
      entryEnd: () => events.push('entry-end'),
    },
    limits,
  );
  const chunks = source[Symbol.asyncIterator]();
  let ended = false;

  /** The next event; undefined when the archive has ended. */
  const next = async (): Promise<Event | undefined> => {
    while (taken === events.length) {
      events.length = taken = 0;
      if (ended) return undefined;
      const result = await chunks.next();
      ended = result.done === true;
      if (result.done) parser.end();
      else parser.push(result.value);
    }
    return events[taken++];
  };

  async function* contentOf(member: { done: boolean }): AsyncGenerator<Uint8Array> {
    while (!member.done) {
      const event = await next();
      if (event === undefined || event === 'entry-end') member.done = true;
      else if ('chunk' in event) yield event.chunk;
    }
  }

  try {
    for (let event = await next(); event !== undefined; event = await next()) {
      if (event === 'entry-end' || !('entry' in event)) continue;
      const member = { done: false };
      yield { entry: event.entry, content: contentOf(member) };
      while (!member.done) {
        const skipped = await next();
        member.done = skipped === undefined || skipped === 'entry-end';
      }
    }
  } finally {
    if (!ended) await chunks.return?.();
  }
}
