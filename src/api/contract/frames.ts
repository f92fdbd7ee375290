/** Streams of a multiplexed connection, in the order of their wire numbers. */
const STREAMS = ['stdin', 'stdout', 'stderr', 'systemerr'] as const;

export type StreamName = (typeof STREAMS)[number];

export interface Frame {
  readonly stream: StreamName;
  readonly payload: Buffer;
}

const HEADER_BYTES = 8;
/** No engine writes frames near this size: a larger length means that the stream is not framed at all. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

/**
 * One frame: stream number, three zero bytes, big-endian length, payload.
 * @see Docker Engine API, "Attach to a container", stream format
 */
export function encodeFrame(stream: 'stdin' | 'stdout' | 'stderr', payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(STREAMS.indexOf(stream) * 0x1000000, 0);
  frame.writeUInt32BE(payload.length, 4);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Takes a multiplexed stream apart. Chunks may be cut anywhere; a frame comes out when its last byte is in. */
export class FrameDecoder {
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #wanted = HEADER_BYTES;
  #stream: StreamName | undefined;

  /** @throws RangeError when the bytes are not frames */
  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const frames: Frame[] = [];
    while (this.#buffered >= this.#wanted) {
      const bytes = this.#take(this.#wanted);
      if (this.#stream === undefined) {
        this.#readHeader(bytes);
      } else {
        frames.push({ stream: this.#stream, payload: bytes });
        this.#stream = undefined;
        this.#wanted = HEADER_BYTES;
      }
    }
    return frames;
  }

  /** Bytes of an unfinished frame; 0 at a clean end. */
  get pendingBytes(): number {
    return this.#buffered + (this.#stream === undefined ? 0 : HEADER_BYTES);
  }

  #readHeader(header: Buffer): void {
    const stream = STREAMS[header[0]!];
    const length = header.readUInt32BE(4);
    if (stream === undefined || length > MAX_PAYLOAD_BYTES) {
      throw new RangeError(`not a multiplexed stream: the header is ${header.toString('hex')}`);
    }
    this.#stream = stream;
    this.#wanted = length;
  }

  /** Joins only as many chunks as are needed, so that many small chunks of a large frame cost linear time. */
  #take(size: number): Buffer {
    const parts: Uint8Array[] = [];
    let missing = size;
    while (missing > 0) {
      const first = this.#chunks[0]!;
      if (first.length <= missing) {
        parts.push(first);
        this.#chunks.shift();
      } else {
        parts.push(first.subarray(0, missing));
        this.#chunks[0] = first.subarray(missing);
      }
      missing -= Math.min(first.length, missing);
    }
    this.#buffered -= size;
    return parts.length === 1 ? Buffer.from(parts[0]!.buffer, parts[0]!.byteOffset, size) : Buffer.concat(parts, size);
  }
}

/** Content type of an attach, exec or logs stream. API versions before 1.42 knew one type only. */
export function streamContentType(tty: boolean, tellsApart: boolean): string {
  return !tty && tellsApart ? MULTIPLEXED_STREAM : RAW_STREAM;
}

export const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';
export const RAW_STREAM = 'application/vnd.docker.raw-stream';
