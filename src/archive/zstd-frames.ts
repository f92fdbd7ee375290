import { BerthError } from '../errors/index.ts';

const FRAME_MAGIC = 0xfd2fb528;
const DICTIONARY_LENGTH = [0, 1, 2, 4] as const;
const CONTENT_SIZE_LENGTH = [0, 2, 4, 8] as const;

export interface FramePart {
  readonly bytes: Buffer;
  /** The frame ends with these bytes. */
  readonly last: boolean;
}

type Stage = 'magic' | 'skip-size' | 'skip' | 'descriptor' | 'fields' | 'block-header' | 'block' | 'checksum';

/**
 * Cuts zstd data at its frame borders and drops skippable frames. Node decodes only the first frame of a stream, and
 * layers made by pzstd or as zstd:chunked have many.
 * @see RFC 8878, section 3.1
 */
export class ZstdFrameSplitter {
  #stage: Stage = 'magic';
  #need = 4;
  #held: Buffer = Buffer.alloc(0);
  #hasChecksum = false;
  #lastBlock = false;

  /** True between frames: the data may end here. */
  get complete(): boolean {
    return this.#stage === 'magic' && this.#held.length === 0;
  }

  /** @throws BerthError `invalid` */
  *split(chunk: Buffer): Generator<FramePart> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#stage === 'skip' || this.#stage === 'block') {
        const part = rest.subarray(0, this.#need);
        rest = rest.subarray(part.length);
        this.#need -= part.length;
        const done = this.#need === 0;
        const inBlock = this.#stage === 'block';
        const last = done && inBlock && this.#afterBlock();
        if (done && !inBlock) this.#expect('magic', 4);
        if (inBlock) yield { bytes: part, last };
        continue;
      }
      const part = rest.subarray(0, this.#need - this.#held.length);
      rest = rest.subarray(part.length);
      this.#held = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
      if (this.#held.length < this.#need) {
        this.#held = Buffer.from(this.#held);
        return;
      }
      const bytes = this.#held;
      this.#held = Buffer.alloc(0);
      const wasSkip = this.#stage === 'skip-size';
      const last = this.#advance(bytes);
      if (!wasSkip && this.#stage !== 'skip-size') yield { bytes, last };
    }
  }

  /** Acts on a complete field. @returns whether the frame ends with it */
  #advance(bytes: Buffer): boolean {
    switch (this.#stage) {
      case 'magic': {
        const magic = bytes.readUInt32LE(0);
        if (magic === FRAME_MAGIC) this.#expect('descriptor', 1);
        else if ((magic & 0xfffffff0) === 0x184d2a50) this.#expect('skip-size', 4);
        else throw new BerthError('invalid', 'damaged zstd data: something other than a frame follows a frame');
        return false;
      }
      case 'skip-size':
        this.#expect('skip', bytes.readUInt32LE(0));
        if (this.#need === 0) this.#expect('magic', 4);
        return false;
      case 'descriptor': {
        const descriptor = bytes[0]!;
        const singleSegment = (descriptor & 0x20) !== 0;
        this.#hasChecksum = (descriptor & 0x04) !== 0;
        const sizeFlag = descriptor >> 6;
        const sizeLength = sizeFlag === 0 && singleSegment ? 1 : CONTENT_SIZE_LENGTH[sizeFlag as 0 | 1 | 2 | 3];
        const fields = (singleSegment ? 0 : 1) + DICTIONARY_LENGTH[(descriptor & 3) as 0 | 1 | 2 | 3] + sizeLength;
        this.#expect('fields', fields);
        return false;
      }
      case 'fields':
        this.#expect('block-header', 3);
        return false;
      case 'block-header': {
        const header = bytes.readUIntLE(0, 3);
        this.#lastBlock = (header & 1) === 1;
        this.#expect('block', ((header >> 1) & 3) === 1 ? 1 : header >> 3);
        return this.#need === 0 && this.#afterBlock();
      }
      default:
        this.#expect('magic', 4);
        return true;
    }
  }

  #afterBlock(): boolean {
    if (!this.#lastBlock) this.#expect('block-header', 3);
    else if (this.#hasChecksum) this.#expect('checksum', 4);
    else this.#expect('magic', 4);
    return this.#stage === 'magic';
  }

  #expect(stage: Stage, bytes: number): void {
    this.#stage = stage;
    this.#need = bytes;
  }
}
