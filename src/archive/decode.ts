import { BerthError } from '../errors/index.ts';
import type { TarEntry } from './entry.ts';
import { BLOCK, checksum, type Field, field, signedChecksum, typeOf } from './layout.ts';
import { decodeName } from './names.ts';
import { readNumber } from './numeric.ts';
import { type PaxRecords, xattrsOf } from './pax.ts';

/** What earlier header blocks said about the entry whose own block follows. */
export interface Overrides {
  readonly local: PaxRecords | undefined;
  readonly global: PaxRecords;
  readonly longName: Buffer | undefined;
  readonly longLink: Buffer | undefined;
}

export function slice(block: Buffer, name: Field): Buffer {
  const [offset, length] = field[name];
  return block.subarray(offset, offset + length);
}

/** A number field. @throws BerthError `invalid` */
export function numberIn(block: Buffer, name: Field): number {
  const value = readNumber(slice(block, name));
  if (value === undefined) throw damaged(nameIn(block), `its ${name} is no number`);
  return value;
}

/** Name as the ustar block alone gives it. */
export function nameIn(block: Buffer): string {
  const name = untilNul(slice(block, 'name'));
  // Old GNU headers keep other things where ustar has the prefix; star keeps times behind a shorter one.
  if (slice(block, 'magic').toString('latin1', 0, 6) !== 'ustar\0') return decodeName(name);
  const room = block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155;
  const prefix = untilNul(slice(block, 'prefix').subarray(0, room));
  return prefix.length === 0 ? decodeName(name) : `${decodeName(prefix)}/${decodeName(name)}`;
}

export function verifyChecksum(block: Buffer, previousName: string): void {
  const stored = readNumber(slice(block, 'checksum'));
  if (stored === checksum(block) || stored === signedChecksum(block)) return;
  throw new BerthError(
    'invalid',
    previousName === ''
      ? 'this is not a tar archive: its first header has a wrong checksum'
      : `damaged tar archive: wrong header checksum after ${JSON.stringify(previousName)}`,
  );
}

/** The entry that a header block and what preceded it describe. @throws BerthError `invalid`, `unsupported` */
export function decodeEntry(block: Buffer, overrides: Overrides): TarEntry {
  const pax = (keyword: string): Buffer | undefined => {
    const value = overrides.local?.get(keyword) ?? overrides.global.get(keyword);
    return value === undefined || value.length === 0 ? undefined : value;
  };
  const rawName = text(pax('path'), overrides.longName) ?? nameIn(block);
  const flag = block.toString('latin1', 156, 157);
  refuseSparse(rawName, flag, overrides);
  const known = typeOf.get(flag);
  if (known === undefined) throw damaged(rawName, `entries of type ${JSON.stringify(flag)} are not understood`);
  // Before ustar a directory was a file whose name ends in a slash.
  const type = known === 'file' && rawName.endsWith('/') ? 'directory' : known;
  const number = (name: 'uid' | 'gid' | 'size'): number => {
    const record = pax(name);
    const value = record === undefined ? numberIn(block, name) : Number(record.toString('latin1'));
    if (!Number.isSafeInteger(value) || value < 0) throw damaged(rawName, `its ${name} is out of range`);
    return value;
  };
  const linked = type === 'symlink' || type === 'hardlink';
  const linkName = linked
    ? (text(pax('linkpath'), overrides.longLink) ?? decodeName(untilNul(slice(block, 'linkName'))))
    : undefined;
  if (rawName.includes('\0') || linkName?.includes('\0')) throw damaged(rawName, 'its name has a NUL byte');
  const device = type === 'character-device' || type === 'block-device';
  const xattrs = overrides.local && xattrsOf(overrides.local);
  return {
    name: type === 'directory' ? rawName.replace(/\/+$/, '') : rawName,
    type,
    mode: numberIn(block, 'mode') & 0o7777,
    uid: number('uid'),
    gid: number('gid'),
    size: type === 'file' ? number('size') : 0,
    mtime: time(block, pax('mtime'), rawName),
    ...(linkName === undefined ? {} : { linkName }),
    ...(device ? { major: numberIn(block, 'major'), minor: numberIn(block, 'minor') } : {}),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
}

function refuseSparse(name: string, flag: string, overrides: Overrides): void {
  const sparse = flag === 'S' || [...(overrides.local?.keys() ?? [])].some((key) => key.startsWith('GNU.sparse.'));
  if (!sparse) return;
  throw new BerthError('unsupported', `tar entry ${JSON.stringify(name)}: GNU sparse files are not supported`, {
    hint: 'make the archive without --sparse',
  });
}

function time(block: Buffer, record: Buffer | undefined, name: string): number {
  if (record === undefined) return numberIn(block, 'mtime');
  const value = Number(record.toString('latin1'));
  if (!Number.isFinite(value)) throw damaged(name, 'its mtime is no number');
  return value;
}

function text(record: Buffer | undefined, gnu: Buffer | undefined): string | undefined {
  if (record !== undefined) return decodeName(record);
  return gnu === undefined ? undefined : decodeName(untilNul(gnu));
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

export function damaged(name: string, why: string): BerthError {
  return new BerthError('invalid', `tar entry ${JSON.stringify(name.slice(0, 300))}: ${why}`);
}

export function isZeroBlock(block: Buffer): boolean {
  if (block[0] !== 0) return false;
  for (let at = 1; at < BLOCK; at += 1) if (block[at] !== 0) return false;
  return true;
}
