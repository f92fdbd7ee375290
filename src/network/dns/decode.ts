import { nameData } from './encode.ts';
import { type Edns, type Header, type Message, type Question, type ResourceRecord, types } from './message.ts';
import { readName } from './name.ts';
import { dataParts } from './record-data.ts';

const HEADER_BYTES = 12;
/** A record has a name, type, class, TTL and the length of its data. */
const RECORD_BYTES = 10;
const DNSSEC_OK = 0x8000;

/** How many entries a message says that it has. */
export interface Counts {
  readonly questions: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
}

/** The fixed part of a message. @returns undefined when it is too short for one */
export function decodeHeader(bytes: Buffer): (Header & { readonly counts: Counts }) | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const flags = bytes.readUInt16BE(2);
  const flag = (bit: number) => ((flags >> bit) & 1) === 1;
  return {
    id: bytes.readUInt16BE(0),
    response: flag(15),
    opcode: (flags >> 11) & 15,
    authoritative: flag(10),
    truncated: flag(9),
    recursionDesired: flag(8),
    recursionAvailable: flag(7),
    authenticData: flag(5),
    checkingDisabled: flag(4),
    rcode: flags & 15,
    counts: {
      questions: bytes.readUInt16BE(4),
      answers: bytes.readUInt16BE(6),
      authorities: bytes.readUInt16BE(8),
      additionals: bytes.readUInt16BE(10),
    },
  };
}

/** Reads a message. Never throws, whatever the bytes are. @returns undefined when they are none */
export function decodeMessage(bytes: Buffer): Message | undefined {
  const decoded = decodeHeader(bytes);
  if (!decoded) return undefined;
  const { counts, ...header } = decoded;
  const reader = new Reader(bytes, HEADER_BYTES);
  const questions = reader.take(counts.questions, () => reader.question());
  const answers = questions && reader.take(counts.answers, () => reader.record());
  const authorities = answers && reader.take(counts.authorities, () => reader.record());
  const additionals = authorities && reader.take(counts.additionals, () => reader.record());
  if (!questions || !answers || !authorities || !additionals) return undefined;
  const opts = additionals.filter(({ type }) => type === types.OPT);
  if (opts.length > 1) return undefined;
  const message = {
    ...header,
    questions,
    answers,
    authorities,
    additionals: additionals.filter(({ type }) => type !== types.OPT),
  };
  const [opt] = opts;
  if (!opt) return message;
  return { ...message, rcode: ((opt.ttl >>> 24) << 4) | header.rcode, edns: ednsOf(opt) };
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** As many as are said to be there; undefined when one is not. */
  take<T>(count: number, read: () => T | undefined): readonly T[] | undefined {
    const all: T[] = [];
    for (let taken = 0; taken < count; taken += 1) {
      const one = read();
      if (one === undefined) return undefined;
      all.push(one);
    }
    return all;
  }

  question(): Question | undefined {
    const name = this.#name();
    if (name === undefined || this.#at + 4 > this.#bytes.length) return undefined;
    const [type, klass] = [this.#bytes.readUInt16BE(this.#at), this.#bytes.readUInt16BE(this.#at + 2)];
    this.#at += 4;
    return { name, type, class: klass };
  }

  record(): ResourceRecord | undefined {
    const [bytes, name] = [this.#bytes, this.#name()];
    const start = this.#at + RECORD_BYTES;
    if (name === undefined || start > bytes.length) return undefined;
    const type = bytes.readUInt16BE(this.#at);
    const end = start + bytes.readUInt16BE(this.#at + 8);
    const data = end > bytes.length ? undefined : dataParts(type, bytes, start, end);
    if (!data) return undefined;
    const head = { name, type, class: bytes.readUInt16BE(this.#at + 2), ttl: bytes.readUInt32BE(this.#at + 4) };
    this.#at = end;
    // Copied: what is kept of a datagram must not keep the buffer that it came in.
    const parts = data.parts.map((part) => (Buffer.isBuffer(part) ? part : nameData(part.name)));
    return { ...head, data: Buffer.concat(parts) };
  }

  #name(): string | undefined {
    const read = readName(this.#bytes, this.#at);
    if (read) this.#at = read.next;
    return read?.name;
  }
}

/** EDNS hides in the fields of a record. */
function ednsOf({ class: udpSize, ttl, data }: ResourceRecord): Edns {
  return { udpSize, version: (ttl >>> 16) & 0xff, dnssecOk: (ttl & DNSSEC_OK) !== 0, options: data };
}
