/**
 * Netlink attributes: a length, a type and a value, padded to four bytes, in the byte order of the machine (little
 * endian on all that Berth runs on). Pure. @see linux/include/uapi/linux/netlink.h, `struct nlattr`
 */
const HEADER_BYTES = 4;
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

export const aligned = (length: number) => (length + 3) & ~3;

export function bytes(type: number, value: Uint8Array): Buffer {
  const encoded = Buffer.alloc(aligned(HEADER_BYTES + value.length));
  encoded.writeUInt16LE(HEADER_BYTES + value.length, 0);
  encoded.writeUInt16LE(type, 2);
  encoded.set(value, HEADER_BYTES);
  return encoded;
}

export function u8(type: number, value: number): Buffer {
  return bytes(type, Uint8Array.of(value));
}

export function u16(type: number, value: number): Buffer {
  const encoded = Buffer.alloc(2);
  encoded.writeUInt16LE(value);
  return bytes(type, encoded);
}

export function u32(type: number, value: number): Buffer {
  const encoded = Buffer.alloc(4);
  encoded.writeUInt32LE(value);
  return bytes(type, encoded);
}

/** A string with its final NUL. */
export function text(type: number, value: string): Buffer {
  return bytes(type, Buffer.from(`${value}\0`));
}

export function nested(type: number, attributes: readonly Uint8Array[]): Buffer {
  return bytes(type | NESTED, Buffer.concat(attributes));
}

/** Values by type; of a type that comes twice the last. What is cut short is left out. */
export function parseAttributes(encoded: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + HEADER_BYTES <= encoded.length; ) {
    const length = encoded.readUInt16LE(at);
    if (length < HEADER_BYTES || at + length > encoded.length) break;
    found.set(encoded.readUInt16LE(at + 2) & TYPE_MASK, encoded.subarray(at + HEADER_BYTES, at + length));
    at += aligned(length);
  }
  return found;
}

/** The text of a string attribute, without its NUL. */
export function textOf(value: Buffer | undefined): string {
  if (!value) return '';
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** An unsigned number of 1, 2 or 4 bytes, by how long the value is; undefined when there is none. */
export function numberOf(value: Buffer | undefined): number | undefined {
  return value && [1, 2, 4].includes(value.length) ? value.readUIntLE(0, value.length) : undefined;
}
