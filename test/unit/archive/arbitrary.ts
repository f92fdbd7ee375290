import fc from 'fast-check';
import type { EntryType, TarEntry } from '../../../src/archive/entry.ts';
import { decodeName } from '../../../src/archive/index.ts';

/** One path component: text, or bytes that are no UTF-8. */
const component = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
  fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme-ascii' }),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => decodeName(Buffer.from(bytes))),
  fc.constantFrom('.wh.gone', '.wh..wh..opq', '\udc80\udcff', '\ufffd'),
);
const name = fc
  .array(
    component.map((text) => text.replace(/[/\0]/g, '_')).filter((text) => text !== '.' && text !== '..'),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join('/'));

const id = fc.oneof(fc.nat(70000), fc.constantFrom(0o7777777, 0o10000000, 2 ** 31, 2 ** 32 - 2));
/** Quarters of a second are exact in binary and in nine decimals. */
const mtime = fc.oneof(
  fc.nat(2_000_000_000),
  fc.integer({ min: -4_000_000, max: 8_000_000_000 }).map((quarters) => quarters / 4),
  fc.constantFrom(8 ** 11 - 1, 8 ** 11, -1, 0.000000001, 1700000000.123456),
);
const xattrs = fc.dictionary(
  fc.constantFrom('security.capability', 'user.a', 'user.a=b', 'user.100%', 'user.ü'),
  fc.uint8Array({ maxLength: 300 }),
  { maxKeys: 3 },
);

const types: readonly EntryType[] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character-device',
  'block-device',
  'fifo',
];

export interface Member {
  readonly entry: TarEntry;
  readonly content: Buffer;
}

export const member: fc.Arbitrary<Member> = fc
  .record({
    name,
    type: fc.constantFrom(...types),
    mode: fc.nat(0o7777),
    uid: id,
    gid: id,
    mtime,
    linkName: name,
    major: fc.nat(4095),
    minor: fc.nat(2 ** 20 - 1),
    xattrs,
    content: fc.uint8Array({ maxLength: 1500 }),
  })
  .map(({ linkName, major, minor, xattrs: attributes, content, ...common }) => {
    const { type } = common;
    const device = type === 'character-device' || type === 'block-device';
    const linked = type === 'symlink' || type === 'hardlink';
    const named = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
    const entry: TarEntry = {
      ...common,
      size: type === 'file' ? content.length : 0,
      ...(linked ? { linkName } : {}),
      ...(device ? { major, minor } : {}),
      ...(named.length === 0
        ? {}
        : { xattrs: new Map(named.map(([key, value]) => [key, Buffer.from(value)] as const)) }),
    };
    return { entry, content: type === 'file' ? Buffer.from(content) : Buffer.alloc(0) };
  });
