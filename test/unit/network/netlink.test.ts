import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addAddress, parseAddress } from '../../../src/network/netlink/addresses.ts';
import {
  bytes,
  nested,
  numberOf,
  parseAttributes,
  text,
  textOf,
  u8,
  u16,
  u32,
} from '../../../src/network/netlink/attributes.ts';
import { changeLink, createVeth, parseLink } from '../../../src/network/netlink/links.ts';
import { decodeMessages, encodeMessage, outcomeOf } from '../../../src/network/netlink/message.ts';
import { addRoute, parseRoute } from '../../../src/network/netlink/routes.ts';

const type = fc.integer({ min: 0, max: 0x3fff });

describe('netlink attributes', () => {
  it('come back as they were written', () => {
    const one = fc.tuple(type, fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ([key]) => key }), (list) => {
        const encoded = Buffer.concat(list.map(([key, value]) => bytes(key, value)));
        expect(encoded.length % 4).toBe(0);
        const parsed = [...parseAttributes(encoded)].map(([key, value]) => [key, [...value]]);
        expect(parsed).toEqual(list.map(([key, value]) => [key, [...value]]));
      }),
    );
  });

  it('hold texts, numbers and one another', () => {
    const inner = [text(3, 'eth0'), u8(4, 255), u16(5, 65535), u32(6, 4294967295)];
    const outer = parseAttributes(nested(18, inner)).get(18)!;
    const found = parseAttributes(outer);
    expect(textOf(found.get(3))).toBe('eth0');
    expect([4, 5, 6].map((key) => numberOf(found.get(key)))).toEqual([255, 65535, 4294967295]);
  });

  it('are never read beyond the end, whatever they say', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        for (const value of parseAttributes(Buffer.from(noise)).values()) {
          expect(value.length).toBeLessThanOrEqual(noise.length);
        }
        for (const reply of decodeMessages(Buffer.from(noise))) {
          outcomeOf(reply);
          parseLink(reply);
          parseAddress(reply);
          parseRoute(reply);
        }
      }),
    );
  });
});

describe('netlink messages', () => {
  it('are told apart in one buffer, with what they ask for', () => {
    const message = fc.record({
      type: fc.nat(65535),
      flags: fc.nat(0xfffe),
      payload: fc.uint8Array({ maxLength: 99 }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (list) => {
        const requests = list.map((one) => ({ ...one, payload: Buffer.from(one.payload) }));
        const encoded = Buffer.concat(requests.map((request, at) => encodeMessage(request, at + 7)));
        const decoded = decodeMessages(encoded);
        expect(decoded.map(({ sequence }) => sequence)).toEqual(list.map((_, at) => at + 7));
        expect(decoded.map((one) => [...one.payload])).toEqual(list.map((one) => [...one.payload]));
        expect(decoded.map((one) => one.flags)).toEqual(list.map((one) => one.flags | 1));
      }),
    );
  });

  it('tell how a request ended, in the words of the kernel', () => {
    const code = Buffer.alloc(4);
    code.writeInt32LE(-17);
    const echoed = Buffer.alloc(16);
    echoed.writeUInt32LE(16);
    const payload = Buffer.concat([code, echoed, text(1, 'Device is already there')]);
    const reply = { type: 2, flags: 0x300, sequence: 1, payload };
    expect(outcomeOf(reply)).toEqual({ errno: 17, detail: 'Device is already there' });
    expect(outcomeOf({ ...reply, flags: 0, payload: Buffer.alloc(20) })).toEqual({ errno: 0, detail: '' });
    expect(outcomeOf({ ...reply, type: 16 })).toBeUndefined();
  });
});

describe('requests of rtnetlink', () => {
  /** The kernel tells of things in the form in which they are asked for. */
  const echo = ({ type: kind, payload }: { type: number; payload: Buffer }) => ({
    type: kind,
    flags: 0,
    sequence: 1,
    payload,
  });

  it('name an interface, its address, size, bridge and group', () => {
    const mac = Buffer.from([2, 66, 10, 0, 0, 1]);
    const link = { name: 'veth1', mac, mtu: 1400, master: 7, group: 0xfedcba98, up: true };
    expect(parseLink(echo(changeLink(3, link)))).toMatchObject({ ...link, index: 3 });
    expect(parseLink(echo(createVeth({ name: 'a' }, { name: 'b' })))).toMatchObject({ name: 'a', kind: 'veth' });
  });

  it('carry addresses and routes of both families', () => {
    for (const length of [4, 16]) {
      const address = Buffer.alloc(length, 9);
      expect(parseAddress(echo(addAddress({ index: 5, address, prefixLength: 24 })))).toEqual({
        index: 5,
        address,
        prefixLength: 24,
      });
      const route = {
        family: length === 4 ? 4 : 6,
        destination: { address, prefixLength: 16 },
        gateway: address,
      } as const;
      expect(parseRoute(echo(addRoute({ ...route, outgoing: 2 })))).toEqual({ ...route, outgoing: 2 });
    }
  });
});
