import type { EntryType } from './entry.ts';

export const BLOCK = 512;

/** Fields of a header block: offset and length. @see pax(1), "ustar Interchange Format" */
export const field = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
} as const satisfies Record<string, readonly [offset: number, length: number]>;

export type Field = keyof typeof field;

/** Type flags that stand for entries. */
export const flagOf: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};

export const typeOf: ReadonlyMap<string, EntryType> = new Map<string, EntryType>([
  ...Object.entries(flagOf).map(([type, flag]): [string, EntryType] => [flag, type as EntryType]),
  ['\0', 'file'],
  ['7', 'file'],
]);

/** Sum of all bytes with the checksum field taken as blanks. */
export function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at += 1) sum += block[at]!;
  for (let at = 156; at < BLOCK; at += 1) sum += block[at]!;
  return sum;
}

/** The sum as some old writers made it, over signed bytes. */
export function signedChecksum(block: Buffer): number {
  let high = 0;
  for (let at = 0; at < BLOCK; at += 1) if (block[at]! > 0x7f && (at < 148 || at >= 156)) high += 1;
  return checksum(block) - 256 * high;
}

/** Bytes that fill the last block of `size` bytes of content. */
export function paddingLength(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
