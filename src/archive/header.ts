import { BerthError } from '../errors/index.ts';
import type { TarEntry } from './entry.ts';
import { BLOCK, checksum, type Field, field, flagOf, paddingLength } from './layout.ts';
import { encodeName } from './names.ts';
import { octalLimit, writeOctal } from './numeric.ts';
import { encodePax, xattrKeyword } from './pax.ts';

const zeros = Buffer.alloc(BLOCK);

/** Two zero blocks. */
export const endOfArchive: Buffer = Buffer.alloc(2 * BLOCK);

/** What follows `size` bytes of content, up to the next block. The bytes are shared: do not write to them. */
export function padding(size: number): Buffer {
  return zeros.subarray(0, paddingLength(size));
}

/**
 * Header of an entry: a ustar block, before it a PAX extended header when something does not fit (names over 100
 * bytes or outside ASCII, large ids and sizes, fractional or negative times, xattrs). Equal entries give equal bytes.
 * @throws BerthError `invalid` for a name with NUL
 */
export function encodeHeader(entry: TarEntry): Buffer {
  const records = new Map<string, Buffer>();
  const block = Buffer.alloc(BLOCK);
  writeName(block, 'name', entryName(entry), 'path', records);
  if (entry.linkName !== undefined) writeName(block, 'linkName', entry.linkName, 'linkpath', records);
  writeOctal(block, entry.mode, ...field.mode);
  writeNumber(block, 'uid', entry.uid, records);
  writeNumber(block, 'gid', entry.gid, records);
  writeNumber(block, 'size', entry.type === 'file' ? entry.size : 0, records);
  writeTime(block, entry.mtime, records);
  if (entry.type === 'character-device' || entry.type === 'block-device') {
    writeOctal(block, entry.major ?? 0, ...field.major);
    writeOctal(block, entry.minor ?? 0, ...field.minor);
  }
  for (const [name, value] of entry.xattrs ?? []) records.set(xattrKeyword(name), Buffer.from(value));
  finish(block, flagOf[entry.type]);
  return records.size === 0 ? block : Buffer.concat([extendedHeader(entry.name, records), block]);
}

function entryName(entry: TarEntry): string {
  if (entry.type !== 'directory') return entry.name;
  return entry.name === '' ? './' : `${entry.name}/`;
}

function extendedHeader(name: string, records: ReadonlyMap<string, Buffer>): Buffer {
  const body = encodePax(records);
  const block = Buffer.alloc(BLOCK);
  block.write(`PaxHeaders/${asciiOnly(encodeName(name)).slice(-80)}`.slice(0, 100), 0, 'latin1');
  writeOctal(block, 0o644, ...field.mode);
  writeOctal(block, 0, ...field.uid);
  writeOctal(block, 0, ...field.gid);
  writeOctal(block, body.length, ...field.size);
  writeOctal(block, 0, ...field.mtime);
  finish(block, 'x');
  return Buffer.concat([block, body, padding(body.length)]);
}

function finish(block: Buffer, flag: string): void {
  block.write(flag, field.type[0], 'latin1');
  block.write('ustar\x0000', field.magic[0], 'latin1');
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, field.checksum[0], 'latin1');
}

function writeName(block: Buffer, name: Field, text: string, keyword: string, records: Map<string, Buffer>): void {
  const [offset, length] = field[name];
  const bytes = encodeName(text);
  if (bytes.includes(0)) throw new BerthError('invalid', `a file name with a NUL byte: ${JSON.stringify(text)}`);
  if (bytes.length <= length && isAscii(bytes)) {
    bytes.copy(block, offset);
    return;
  }
  records.set(keyword, bytes);
  block.write(asciiOnly(bytes).slice(0, length), offset, 'latin1');
}

function writeNumber(block: Buffer, name: 'uid' | 'gid' | 'size', value: number, records: Map<string, Buffer>): void {
  const [offset, length] = field[name];
  const fits = value <= octalLimit(length);
  if (!fits) records.set(name, Buffer.from(String(value)));
  writeOctal(block, fits ? value : 0, offset, length);
}

function writeTime(block: Buffer, mtime: number, records: Map<string, Buffer>): void {
  const [offset, length] = field.mtime;
  const seconds = Math.floor(mtime);
  const fits = seconds >= 0 && seconds <= octalLimit(length);
  if (!fits || seconds !== mtime) records.set('mtime', Buffer.from(decimal(mtime)));
  writeOctal(block, fits ? seconds : 0, offset, length);
}

/** Seconds with at most nine decimals and no needless zeros. */
function decimal(seconds: number): string {
  return Number.isInteger(seconds) ? String(seconds) : seconds.toFixed(9).replace(/\.?0+$/, '');
}

function isAscii(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 0x7f) return false;
  return true;
}

/** For readers that do not know PAX: the name without what they could not show. */
function asciiOnly(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '');
}
