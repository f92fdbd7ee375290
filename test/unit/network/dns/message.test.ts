import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeader, decodeMessage } from '../../../../src/network/dns/decode.ts';
import { encodeMessage, nameData } from '../../../../src/network/dns/encode.ts';
import { FrameReader, frame } from '../../../../src/network/dns/frames.ts';
import { type Message, type ResourceRecord, types } from '../../../../src/network/dns/message.ts';
import { isName, readName } from '../../../../src/network/dns/name.ts';

const label = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => readName(Buffer.from([bytes.length, ...bytes, 0]), 0)!.name);
const plainLabel = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
const name = fc.array(fc.oneof(plainLabel, label), { maxLength: 8 }).map((labels) => labels.join('.'));
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((raw) => Buffer.from(raw));

/** Data as its type wants it. */
const typed = fc.oneof(
  fc.record({ type: fc.constantFrom(types.A), data: fc.uint8Array({ minLength: 4, maxLength: 4 }).map(Buffer.from) }),
  fc.record({ type: fc.constantFrom(types.CNAME, types.PTR, types.NS), data: name.map(nameData) }),
  fc.record({
    type: fc.constantFrom(types.MX),
    data: fc
      .tuple(uint16, name)
      .map(([rank, one]) => Buffer.concat([Buffer.from([rank >> 8, rank & 255]), nameData(one)])),
  }),
  fc.record({
    type: fc.constantFrom(types.SOA),
    data: fc.tuple(name, name).map(([a, b]) => Buffer.concat([nameData(a), nameData(b), Buffer.alloc(20, 7)])),
  }),
  fc.record({
    type: fc.constantFrom(types.SRV),
    data: name.map((one) => Buffer.concat([Buffer.alloc(6, 1), nameData(one)])),
  }),
  fc.record({ type: fc.constantFrom(types.TXT, 65, 257, 65280), data: bytes(60) }),
);
const record: fc.Arbitrary<ResourceRecord> = fc
  .tuple(name, uint16, uint32, typed)
  .map(([owner, klass, ttl, { type, data }]) => ({ name: owner, class: klass, ttl, type, data }));
const records = fc.array(record, { maxLength: 6 });
const base = fc.record({
  id: uint16,
  response: fc.boolean(),
  opcode: fc.integer({ min: 0, max: 15 }),
  authoritative: fc.boolean(),
  truncated: fc.boolean(),
  recursionDesired: fc.boolean(),
  recursionAvailable: fc.boolean(),
  authenticData: fc.boolean(),
  checkingDisabled: fc.boolean(),
  questions: fc.array(fc.record({ name, type: uint16, class: uint16 }), { maxLength: 2 }),
  answers: records,
  authorities: records,
  additionals: records,
});
const edns = fc.record({
  udpSize: uint16,
  version: fc.integer({ min: 0, max: 255 }),
  dnssecOk: fc.boolean(),
  options: bytes(30),
});
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.tuple(base, fc.integer({ min: 0, max: 15 })).map(([rest, rcode]) => ({ ...rest, rcode })),
  fc.tuple(base, fc.integer({ min: 0, max: 4095 }), edns).map(([rest, rcode, opt]) => ({ ...rest, rcode, edns: opt })),
);

const untruncated = (one: Message): Message => ({ ...one, truncated: false });
const header = (counts: readonly number[]) =>
  Buffer.from([0, 1, 0, 0, ...counts.flatMap((count) => [count >> 8, count & 255])]);

describe('a DNS message', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(message.map(untruncated), (one) => {
        expect(decodeMessage(encodeMessage(one))).toEqual(one);
      }),
    );
  });

  it('never makes the reader throw, whatever its bytes are', () => {
    fc.assert(fc.property(bytes(400), (raw) => void decodeMessage(raw)));
    const broken = fc.tuple(message, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }));
    fc.assert(
      fc.property(broken, fc.nat(), ([one, changes], cut) => {
        const raw = encodeMessage(one);
        for (const [at, byte] of changes) raw[at % raw.length] = byte;
        const read = decodeMessage(raw.subarray(0, cut % (raw.length + 1))) ?? decodeMessage(raw);
        // What can be read can be written again.
        if (read) encodeMessage(read);
      }),
      { numRuns: 300 },
    );
  });

  it('says each name once', () => {
    const answers = Array.from({ length: 50 }, (_, at) => ({
      name: 'web.front-end.example',
      type: types.A,
      class: 1,
      ttl: 600,
      data: Buffer.from([10, 0, 0, at]),
    }));
    const one = { ...plain, questions: [{ name: 'web.front-end.example', type: types.A, class: 1 }], answers };
    expect(encodeMessage(one).length).toBe(12 + 23 + 4 + 50 * 16);
  });

  it('leaves out whole records and says so when it does not fit', () => {
    fc.assert(
      fc.property(message.map(untruncated), fc.integer({ min: 0, max: 400 }), (one, room) => {
        const least = encodeMessage({ ...one, answers: [], authorities: [], additionals: [] }).length;
        const raw = encodeMessage(one, least + room);
        expect(raw.length).toBeLessThanOrEqual(least + room);
        const read = decodeMessage(raw)!;
        expect(read.answers).toEqual(one.answers.slice(0, read.answers.length));
        expect(read.truncated).toBe(
          read.answers.length < one.answers.length || read.authorities.length < one.authorities.length,
        );
        expect(read.edns).toEqual(one.edns);
      }),
    );
  });

  it('is refused when a name points at itself, forwards, or in a circle', () => {
    for (const name of [
      [0xc0, 12],
      [0xc0, 14, 0xc0, 12],
      [0xc0, 40],
      [1, 97, 0xc0, 12],
    ]) {
      const raw = Buffer.concat([header([1, 0, 0, 0]), Buffer.from([...name, 0, 1, 0, 1])]);
      expect(decodeMessage(raw)).toBeUndefined();
    }
  });

  it('is read in linear time even when its names are long chains of pointers', () => {
    // Each pointer leads to the one before it: without a bound, each record would cost as many steps as all before it.
    const chain = Array.from({ length: 8000 }, (_, at) => 0xc000 | (at === 0 ? 12 : 12 + 1 + (at - 1) * 2));
    const raw = Buffer.concat([header([0, 1, 0, 0]), Buffer.from([0]), ...chain.map(pair)]);
    expect(readName(raw, raw.length - 2)).toBeUndefined();
    expect(readName(raw, 12 + 1 + 2 * 100)).toMatchObject({ name: '' });
  });

  it('tells a query from an answer by its first bytes', () => {
    expect(decodeHeader(Buffer.alloc(11))).toBeUndefined();
    expect(decodeHeader(encodeMessage({ ...plain, id: 7, response: true }))).toMatchObject({ id: 7, response: true });
  });
});

describe('a name', () => {
  it.each([
    ['web', true],
    ['', true],
    ['web.front-end', true],
    ['a\\.b', true],
    ['a..b', false],
    ['.a', false],
    ['a.', false],
    ['ä', false],
    ['a b', false],
    ['x'.repeat(63), true],
    ['x'.repeat(64), false],
    [Array(127).fill('a').join('.'), true],
    [Array(128).fill('a').join('.'), false],
  ])('%j can be written: %j', (text, good) => {
    expect(isName(text)).toBe(good);
    if (good) expect(readName(nameData(text), 0)).toEqual({ name: text, next: nameData(text).length });
  });
});

describe('messages in a stream', () => {
  it('come out whole, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(bytes(300), { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 50 })), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(frame));
        const reader = new FrameReader();
        const got: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? stream.length;
          got.push(...reader.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(got).toEqual(sent);
      }),
    );
  });
});

const plain: Message = {
  id: 1,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

function pair(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
