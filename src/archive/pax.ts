import { decodeName, encodeName } from './names.ts';

/** Extended header records: keyword to value. Values are bytes: xattrs are binary, names need not be UTF-8. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

const XATTR_PREFIX = 'SCHILY.xattr.';
const LIBARCHIVE_PREFIX = 'LIBARCHIVE.xattr.';

/** `LENGTH KEYWORD=VALUE\n` for each record, sorted by keyword, where LENGTH counts itself. */
export function encodePax(records: PaxRecords): Buffer {
  const parts: Buffer[] = [];
  for (const keyword of [...records.keys()].sort()) {
    const value = records.get(keyword)!;
    const key = encodeName(keyword);
    const body = key.length + value.length + 3;
    let length = body + String(body).length;
    if (body + String(length).length !== length) length = body + String(length).length;
    parts.push(Buffer.from(`${length} `), key, Buffer.from('='), value, Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

/** @returns undefined when the text is malformed */
export function parsePax(body: Buffer): Map<string, Buffer> | undefined {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    if (space < 0 || space - at > 10) return isPadding(body, at) ? records : undefined;
    const digits = body.toString('latin1', at, space);
    const end = at + Number(digits);
    if (!/^\d+$/.test(digits) || end > body.length || body[end - 1] !== 0x0a) return undefined;
    const equals = body.indexOf(0x3d, space);
    if (equals <= space + 1 || equals >= end) return undefined;
    records.set(decodeName(body.subarray(space + 1, equals)), Buffer.from(body.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
}

/** Some writers fill the record block with NUL and count that in its size. */
function isPadding(body: Buffer, from: number): boolean {
  return body.subarray(from).every((byte) => byte === 0);
}

/** Keyword for an xattr. `=` would end the keyword, so it is percent-encoded as GNU tar does. */
export function xattrKeyword(name: string): string {
  return XATTR_PREFIX + name.replaceAll('%', '%25').replaceAll('=', '%3D');
}

/** All xattrs among the records, also in the form of libarchive (base64 values, URL-encoded names). */
export function xattrsOf(records: PaxRecords): Map<string, Uint8Array> | undefined {
  let found: Map<string, Uint8Array> | undefined;
  for (const [keyword, value] of records) {
    if (keyword.startsWith(XATTR_PREFIX)) {
      const name = keyword.slice(XATTR_PREFIX.length).replaceAll('%3D', '=').replaceAll('%25', '%');
      found ??= new Map();
      found.set(name, value);
    } else if (keyword.startsWith(LIBARCHIVE_PREFIX)) {
      const name = keyword
        .slice(LIBARCHIVE_PREFIX.length)
        .replace(/%([0-9a-fA-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      found ??= new Map();
      if (!found.has(name)) found.set(name, Buffer.from(value.toString('latin1'), 'base64'));
    }
  }
  return found;
}
