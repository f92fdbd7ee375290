import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LineAssembler, type LogEntry, parseRecord } from './parse.ts';
import { tailOffset } from './tail.ts';

export type { LogEntry } from './parse.ts';

export interface LogQuery {
  readonly follow: boolean;
  /** Number of last lines, or all. */
  readonly tail: number | 'all';
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly signal?: AbortSignal;
  /** Tells a follower that nothing more will come. */
  readonly ended?: Promise<unknown>;
}

const NEWLINE = 0x0a;
const blockBytes = 64 * 1024;
/** The longest delay that a timer takes. */
const longestDelayMs = 2 ** 31 - 1;

/**
 * Entries of a log, oldest first. A follower goes on until the signal, `ended` or `until`, whichever is first, and then
 * ends without an error. A log that does not exist is empty.
 */
export async function* readLog(path: string, query: LogQuery): AsyncGenerator<LogEntry> {
  const changes = new Changes(path, query);
  const assembler = new LineAssembler();
  let file: FileHandle | undefined;
  try {
    let offset = 0;
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      // Asked before reading: what was written before the end came is read after it.
      const isLast = !query.follow || changes.over;
      const opened: FileHandle | undefined = file ?? (await openIfThere(path));
      if (opened && !file && query.tail !== 'all') offset = await tailOffset(opened, query.tail);
      file = opened;
      for (;;) {
        const block: Buffer = file ? await readBlock(file, offset) : Buffer.alloc(0);
        if (block.length === 0 || query.signal?.aborted) break;
        offset += block.length;
        const data: Buffer = Buffer.concat([rest, block]);
        const end = data.lastIndexOf(NEWLINE) + 1;
        rest = data.subarray(end);
        for (const entry of entries(data.subarray(0, end), assembler)) {
          if (isAfter(entry, query)) return;
          if (isWanted(entry, query)) yield entry;
        }
      }
      if (query.signal?.aborted) return;
      if (isLast) break;
      await changes.next();
    }
    for (const entry of assembler.flush()) if (isWanted(entry, query) && !isAfter(entry, query)) yield entry;
  } finally {
    changes.close();
    await file?.close();
  }
}

function* entries(records: Buffer, assembler: LineAssembler): Generator<LogEntry> {
  let begin = 0;
  while (begin < records.length) {
    const end = records.indexOf(NEWLINE, begin);
    const record = parseRecord(records.subarray(begin, end));
    const entry = record && assembler.push(record);
    if (entry) yield entry;
    begin = end + 1;
  }
}

function isWanted(entry: LogEntry, query: LogQuery): boolean {
  return query.since === undefined || Date.parse(entry.time) >= query.since;
}

function isAfter(entry: LogEntry, query: LogQuery): boolean {
  return query.until !== undefined && Date.parse(entry.time) > query.until;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readBlock(file: FileHandle, offset: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(blockBytes);
  const { bytesRead } = await file.read(buffer, 0, blockBytes, offset);
  return buffer.subarray(0, bytesRead);
}

/** Wakes a follower when its log grows, and tells when there is nothing more to follow. */
class Changes {
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #changed = false;
  #over = false;
  #wake: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(path: string, query: LogQuery) {
    this.#signal = query.signal;
    if (!query.follow) return;
    // The folder is watched, so that a log which does not exist yet is noticed too.
    this.#watcher = watch(dirname(path), () => this.#notify()).on('error', () => this.#end());
    query.signal?.addEventListener('abort', this.#end, { once: true });
    query.ended?.then(this.#end, this.#end);
    if (query.until !== undefined) {
      const delay = Math.min(longestDelayMs, Math.max(0, query.until - Date.now()));
      this.#timer = setTimeout(this.#end, delay);
    }
  }

  get over(): boolean {
    return this.#over || this.#signal?.aborted === true;
  }

  /** Resolves at the next change; at once when there was one since the last call, or when all is over. */
  async next(): Promise<void> {
    if (!this.#changed && !this.over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#changed = false;
  }

  close(): void {
    this.#watcher?.close();
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#end);
  }

  #notify(): void {
    this.#changed = true;
    this.#wake?.();
    this.#wake = undefined;
  }

  readonly #end = (): void => {
    this.#over = true;
    this.#notify();
  };
}
