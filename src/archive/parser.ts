import { BerthError } from '../errors/index.ts';
import { damaged, decodeEntry, isZeroBlock, nameIn, numberIn, verifyChecksum } from './decode.ts';
import type { TarEntry } from './entry.ts';
import { BLOCK, paddingLength } from './layout.ts';
import { parsePax } from './pax.ts';

export interface TarLimits {
  /** Entries in one archive. Default 5 million. */
  readonly maxEntries?: number;
  /** Bytes of content in all entries together. Default: no limit. */
  readonly maxBytes?: number;
  /** Bytes of one extended header or long name. Default 1 MiB. */
  readonly maxHeaderBytes?: number;
}

/** Receives an archive's parts in order. Buffers are only valid during the call. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** A part of the content of the last entry; comes only for `file` entries with bytes. */
  content(chunk: Buffer): void;
  /** The last entry is complete. */
  entryEnd(): void;
  /** Every byte of the archive that is not content: headers, padding, what follows the end. */
  raw?(bytes: Buffer): void;
}

type State = 'header' | 'extension' | 'content' | 'padding' | 'trailer';

/** Synchronous push parser for ustar, PAX, GNU and V7 archives. */
export class TarParser {
  readonly #handler: TarHandler;
  readonly #limits: Required<TarLimits>;
  #state: State = 'header';
  /** Bytes still to come in `extension`, `content` and `padding`. */
  #remaining = 0;
  /** A header or extension that is split over chunks. */
  #partial: Buffer[] = [];
  #partialLength = 0;
  #extension = '';
  #extensionSize = 0;
  #local: Map<string, Buffer> | undefined;
  #global = new Map<string, Buffer>();
  #longName: Buffer | undefined;
  #longLink: Buffer | undefined;
  #entries = 0;
  #bytes = 0;
  #size = 0;
  #name = '';

  constructor(handler: TarHandler, limits: TarLimits = {}) {
    this.#handler = handler;
    this.#limits = { maxEntries: 5_000_000, maxBytes: Number.MAX_SAFE_INTEGER, maxHeaderBytes: 1 << 20, ...limits };
  }

  /** Takes the next bytes. @throws BerthError `invalid`, `unsupported`, and what the handler throws */
  push(chunk: Uint8Array): void {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0) rest = rest.subarray(this.#step(rest));
  }

  /** The source has ended. @throws BerthError `invalid` when the archive has not */
  end(): void {
    const whole = this.#state === 'trailer' || (this.#state === 'header' && this.#partialLength === 0);
    if (whole && this.#local === undefined && this.#longName === undefined) return;
    throw new BerthError(
      'invalid',
      this.#name === ''
        ? 'this is not a tar archive: it ends within its first header'
        : `damaged tar archive: it ends within or after ${JSON.stringify(this.#name)}`,
    );
  }

  /** Handles the beginning of `rest`. @returns bytes used */
  #step(rest: Buffer): number {
    switch (this.#state) {
      case 'header':
        return this.#gather(rest, BLOCK, (block) => this.#header(block));
      case 'extension':
        return this.#gather(rest, this.#extensionSize + paddingLength(this.#extensionSize), (body) =>
          this.#extend(body),
        );
      case 'content': {
        const part = rest.subarray(0, this.#remaining);
        this.#remaining -= part.length;
        this.#handler.content(part);
        if (this.#remaining === 0) this.#afterContent();
        return part.length;
      }
      case 'padding': {
        const part = rest.subarray(0, this.#remaining);
        this.#remaining -= part.length;
        this.#handler.raw?.(part);
        if (this.#remaining === 0) this.#state = 'header';
        return part.length;
      }
      case 'trailer':
        this.#handler.raw?.(rest);
        return rest.length;
    }
  }

  /** Calls `use` once `length` bytes are together, without copying when one chunk has them all. */
  #gather(rest: Buffer, length: number, use: (bytes: Buffer) => void): number {
    const taken = Math.min(length - this.#partialLength, rest.length);
    if (this.#partialLength === 0 && taken === length) {
      const bytes = rest.subarray(0, length);
      this.#handler.raw?.(bytes);
      use(bytes);
      return taken;
    }
    this.#partial.push(Buffer.from(rest.subarray(0, taken)));
    this.#partialLength += taken;
    if (this.#partialLength === length) {
      const bytes = Buffer.concat(this.#partial);
      this.#partial = [];
      this.#partialLength = 0;
      this.#handler.raw?.(bytes);
      use(bytes);
    }
    return taken;
  }

  #header(block: Buffer): void {
    if (isZeroBlock(block)) {
      this.#state = 'trailer';
      return;
    }
    verifyChecksum(block, this.#name);
    const flag = block.toString('latin1', 156, 157);
    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
      this.#extension = flag;
      this.#extensionSize = numberIn(block, 'size');
      if (this.#extensionSize < 0 || this.#extensionSize > this.#limits.maxHeaderBytes) {
        throw damaged(nameIn(block), `an extended header of ${this.#extensionSize} bytes is too large`);
      }
      if (this.#extensionSize > 0) this.#state = 'extension';
      return;
    }
    const entry = decodeEntry(block, {
      local: this.#local,
      global: this.#global,
      longName: this.#longName,
      longLink: this.#longLink,
    });
    this.#local = this.#longName = this.#longLink = undefined;
    this.#begin(entry);
  }

  #begin(entry: TarEntry): void {
    this.#name = entry.name;
    this.#entries += 1;
    this.#bytes += entry.size;
    if (this.#entries > this.#limits.maxEntries) {
      throw damaged(entry.name, `the archive has more than ${this.#limits.maxEntries} entries`);
    }
    if (this.#bytes > this.#limits.maxBytes) {
      throw damaged(entry.name, `the archive unpacks to more than ${this.#limits.maxBytes} bytes`);
    }
    this.#handler.entry(entry);
    this.#size = this.#remaining = entry.size;
    if (entry.size > 0) this.#state = 'content';
    else this.#handler.entryEnd();
  }

  #afterContent(): void {
    this.#handler.entryEnd();
    this.#remaining = paddingLength(this.#size);
    this.#state = this.#remaining > 0 ? 'padding' : 'header';
  }

  #extend(padded: Buffer): void {
    const body = padded.subarray(0, this.#extensionSize);
    this.#state = 'header';
    if (this.#extension === 'L') this.#longName = Buffer.from(body);
    else if (this.#extension === 'K') this.#longLink = Buffer.from(body);
    else {
      const records = parsePax(body);
      if (records === undefined) throw damaged(this.#name, 'the extended header after it is malformed');
      if (this.#extension === 'x') this.#local = records;
      // Names and sizes of all that follows cannot sensibly be one value.
      else for (const [key, value] of records) if (!/^(path|linkpath|size)$/.test(key)) this.#global.set(key, value);
    }
  }
}
