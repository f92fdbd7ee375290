import type { Edns, Header, Message, Question, ResourceRecord } from './message.ts';
import { types } from './message.ts';
import { labelBytes, splitName } from './name.ts';
import { dataParts } from './record-data.ts';

export const MAX_MESSAGE_BYTES = 65535;
const HEADER_BYTES = 12;
const MAX_POINTER = 0x3fff;
const POINTER_BITS = 0xc000;
const DNSSEC_OK = 0x8000;

/**
 * Writes a message, names compressed. What does not fit into the limit is left out from the end on, whole records; a
 * message that lacks answers says that it is truncated.
 * @throws RangeError for a name that is none (`isName`), or a question that does not fit
 */
export function encodeMessage(message: Message, limit = MAX_MESSAGE_BYTES): Buffer {
  const writer = new Writer(Math.min(limit, MAX_MESSAGE_BYTES) - (message.edns ? ednsBytes(message.edns) : 0));
  writer.skip(HEADER_BYTES);
  for (const question of message.questions) writer.question(question);
  const answers = writer.records(message.answers);
  const whole = answers === message.answers.length;
  const authorities = whole ? writer.records(message.authorities) : 0;
  const truncated = message.truncated || !whole || authorities < message.authorities.length;
  // Hints that fall off are no loss: whoever needs them asks.
  const additionals = truncated ? 0 : writer.records(message.additionals);
  if (message.edns) writer.edns(message.edns, message.rcode >> 4);
  const counts = [message.questions.length, answers, authorities, additionals + (message.edns ? 1 : 0)];
  return writer.finish({ ...message, truncated }, counts);
}

/** A name as record data, uncompressed. */
export function nameData(name: string): Buffer {
  const labels = splitName(name).flatMap((label) => {
    const bytes = bytesOf(label);
    return [Buffer.from([bytes.length]), bytes];
  });
  return Buffer.concat([...labels, Buffer.from([0])]);
}

/** Written synchronously, one message at a time. */
const scratch = Buffer.allocUnsafe(MAX_MESSAGE_BYTES);
const NO_ROOM = new RangeError('the message does not fit');

class Writer {
  readonly #limit: number;
  readonly #suffixes = new Map<string, number>();
  #at = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  skip(bytes: number): void {
    this.#room(bytes);
    this.#at += bytes;
  }

  question({ name, type, class: klass }: Question): void {
    this.#name(name, true);
    this.#number16(type);
    this.#number16(klass);
  }

  /** @returns how many of them fitted */
  records(records: readonly ResourceRecord[]): number {
    for (const [index, record] of records.entries()) {
      const before = this.#at;
      try {
        this.#record(record);
      } catch (error) {
        if (error !== NO_ROOM) throw error;
        this.#at = before;
        // Names within the record that was taken back must not be pointed at.
        for (const [suffix, at] of this.#suffixes) if (at >= before) this.#suffixes.delete(suffix);
        return index;
      }
    }
    return records.length;
  }

  /** Room for it was kept. */
  edns({ udpSize, version, dnssecOk, options }: Edns, extendedRcode: number): void {
    scratch[this.#at] = 0;
    scratch.writeUInt16BE(types.OPT, this.#at + 1);
    scratch.writeUInt16BE(udpSize, this.#at + 3);
    scratch.writeUInt32BE(((extendedRcode << 24) | (version << 16) | (dnssecOk ? DNSSEC_OK : 0)) >>> 0, this.#at + 5);
    scratch.writeUInt16BE(options.length, this.#at + 9);
    this.#at += 11 + options.copy(scratch, this.#at + 11);
  }

  finish(header: Header, counts: readonly number[]): Buffer {
    scratch.writeUInt16BE(header.id, 0);
    scratch.writeUInt16BE(flagsOf(header), 2);
    for (const [index, count] of counts.entries()) scratch.writeUInt16BE(count, 4 + 2 * index);
    return Buffer.from(scratch.subarray(0, this.#at));
  }

  #record({ name, type, class: klass, ttl, data }: ResourceRecord): void {
    this.#name(name, true);
    this.#number16(type);
    this.#number16(klass);
    this.#room(4);
    this.#at = scratch.writeUInt32BE(ttl, this.#at);
    const lengthAt = this.#at;
    this.#number16(0);
    const { parts, compress } = dataParts(type, data, 0, data.length) ?? { parts: [data], compress: false };
    for (const part of parts) {
      if (Buffer.isBuffer(part)) this.#bytes(part);
      else this.#name(part.name, compress);
    }
    scratch.writeUInt16BE(this.#at - lengthAt - 2, lengthAt);
  }

  #name(name: string, compress: boolean): void {
    const labels = splitName(name);
    for (const [index, label] of labels.entries()) {
      const suffix = labels.slice(index).join('.');
      const known = compress ? this.#suffixes.get(suffix) : undefined;
      if (known !== undefined) {
        this.#number16(POINTER_BITS | known);
        return;
      }
      const bytes = bytesOf(label);
      if (this.#at <= MAX_POINTER && !this.#suffixes.has(suffix)) this.#suffixes.set(suffix, this.#at);
      this.#room(1);
      scratch[this.#at] = bytes.length;
      this.#at += 1;
      this.#bytes(bytes);
    }
    this.#room(1);
    scratch[this.#at] = 0;
    this.#at += 1;
  }

  #bytes(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#at += bytes.copy(scratch, this.#at);
  }

  #number16(value: number): void {
    this.#room(2);
    this.#at = scratch.writeUInt16BE(value, this.#at);
  }

  #room(bytes: number): void {
    if (this.#at + bytes > this.#limit) throw NO_ROOM;
  }
}

function ednsBytes({ options }: Edns): number {
  return 11 + options.length;
}

function bytesOf(label: string): Buffer {
  const bytes = labelBytes(label);
  if (!bytes) throw new RangeError(`not a label of a domain name: ${JSON.stringify(label)}`);
  return bytes;
}

function flagsOf(header: Header): number {
  const bit = (set: boolean, at: number) => (set ? 1 << at : 0);
  return (
    bit(header.response, 15) |
    (header.opcode << 11) |
    bit(header.authoritative, 10) |
    bit(header.truncated, 9) |
    bit(header.recursionDesired, 8) |
    bit(header.recursionAvailable, 7) |
    bit(header.authenticData, 5) |
    bit(header.checkingDisabled, 4) |
    (header.rcode & 15)
  );
}
