/** Messages in a TCP stream, each after its length in two bytes. @see RFC 7766, 8 */
export class FrameReader {
  #chunks: Buffer[] = [];
  #held = 0;

  /** @returns the messages that are whole by now */
  push(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const frames: Buffer[] = [];
    for (let length = this.#length(); length !== undefined && this.#held >= 2 + length; length = this.#length()) {
      const bytes = this.#gather();
      frames.push(bytes.subarray(2, 2 + length));
      this.#keep(bytes.subarray(2 + length));
    }
    return frames;
  }

  #length(): number | undefined {
    const [first, second] = this.#chunks;
    if (this.#held < 2 || !first) return undefined;
    return first.length > 1 ? first.readUInt16BE(0) : ((first[0] ?? 0) << 8) | (second?.[0] ?? 0);
  }

  /** Only for a whole message, so that bytes which come one by one are not copied again and again. */
  #gather(): Buffer {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
  }
}

export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 2);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}
