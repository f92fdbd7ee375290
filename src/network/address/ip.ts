import { isIPv4, isIPv6 } from 'node:net';
import { BerthError } from '../../errors/index.ts';

/** An IP address as a number, which is how addresses are counted and compared. Pure. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** A range of addresses that share their first bits; `first` has no bit set after them. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly length: number;
}

export const bitsOf = (family: 4 | 6) => (family === 4 ? 32 : 128);

/** @throws BerthError `invalid` */
export function parseIp(text: string): IpAddress {
  if (isIPv4(text)) return { family: 4, value: countOf(text.split('.').map((part) => Number(part))) };
  if (isIPv6(text) && !text.includes('%')) return { family: 6, value: valueOfV6(text) };
  throw new BerthError('invalid', `invalid IP address: ${text}`);
}

/** `10.0.0.5/24` is the prefix 10.0.0.0/24. @throws BerthError `invalid` */
export function parsePrefix(text: string): Prefix {
  const [address = '', length = '', ...rest] = text.split('/');
  const { family, value } = parseAddressOf(text, address);
  if (rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > bitsOf(family)) throw invalidPrefix(text);
  return prefixAt({ family, value }, Number(length));
}

function parseAddressOf(whole: string, address: string): IpAddress {
  try {
    return parseIp(address);
  } catch {
    throw invalidPrefix(whole);
  }
}

function invalidPrefix(text: string): BerthError {
  return new BerthError('invalid', `invalid CIDR address: ${text}`);
}

/** The prefix of some length that holds an address. */
export function prefixAt({ family, value }: IpAddress, length: number): Prefix {
  const hostBits = BigInt(bitsOf(family) - length);
  return { family, first: (value >> hostBits) << hostBits, length };
}

/** How many addresses a prefix has. */
export function sizeOf({ family, length }: Prefix): bigint {
  return 1n << BigInt(bitsOf(family) - length);
}

export function lastOf(prefix: Prefix): bigint {
  return prefix.first + sizeOf(prefix) - 1n;
}

export function contains(prefix: Prefix, { family, value }: IpAddress): boolean {
  return family === prefix.family && value >= prefix.first && value <= lastOf(prefix);
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && a.first <= lastOf(b) && b.first <= lastOf(a);
}

/** IPv6 in its shortest form. @see RFC 5952 */
export function formatIp({ family, value }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => Number((value >> BigInt(112 - at * 16)) & 0xffffn));
  const gap = longestZeros(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (gap.length < 2) return hex(groups);
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

export function formatPrefix({ family, first, length }: Prefix): string {
  return `${formatIp({ family, value: first })}/${length}`;
}

/** As the kernel takes it: 4 or 16 bytes. */
export function ipBytes({ family, value }: IpAddress): Buffer {
  return Buffer.from(value.toString(16).padStart(bitsOf(family) / 4, '0'), 'hex');
}

export function ipOfBytes(bytes: Uint8Array): IpAddress {
  return { family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${Buffer.from(bytes).toString('hex')}`) };
}

function countOf(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function valueOfV6(text: string): bigint {
  const tail = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain = tail
    ? text.slice(0, tail.index) + [hexPair(tail[1]!, tail[2]!), hexPair(tail[3]!, tail[4]!)].join(':')
    : text;
  const [before = '', after] = plain.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [head, rest] = [groups(before), after === undefined ? [] : groups(after)];
  const all = [...head, ...Array<number>(8 - head.length - rest.length).fill(0), ...rest];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}

function hexPair(high: string, low: string): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}
