import { readName } from './name.ts';

/**
 * Where record data holds names: so many bytes, then so many names, then bytes again. Only what RFC 1035 defines may be
 * written compressed; what others compressed is read all the same. @see RFC 3597, 4
 */
interface NamePlaces {
  readonly before: number;
  readonly names: number;
  readonly compress: boolean;
}

const one = { before: 0, names: 1, compress: true };
const two = { before: 0, names: 2, compress: true };
const later = (before: number, names = 1) => ({ before, names, compress: false });

const places: Readonly<Record<number, NamePlaces>> = {
  2: one, // NS
  3: one, // MD
  4: one, // MF
  5: one, // CNAME
  6: two, // SOA
  7: one, // MB
  8: one, // MG
  9: one, // MR
  12: one, // PTR
  14: two, // MINFO
  15: { before: 2, names: 1, compress: true }, // MX
  17: later(0, 2), // RP
  18: later(2), // AFSDB
  21: later(2), // RT
  33: later(6), // SRV
  36: later(2), // KX
  39: later(0), // DNAME
};

/** A part of record data: bytes, or a name. */
export type DataPart = Buffer | { readonly name: string };

/** Takes record data apart. @returns undefined when it is not what its type says */
export function dataParts(
  type: number,
  bytes: Buffer,
  start: number,
  end: number,
): { readonly parts: readonly DataPart[]; readonly compress: boolean } | undefined {
  const place = places[type];
  // Updates may have records without data.
  if (!place || start === end) return { parts: [bytes.subarray(start, end)], compress: false };
  const parts: DataPart[] = [];
  let at = start + place.before;
  if (at > end) return undefined;
  if (place.before > 0) parts.push(bytes.subarray(start, at));
  for (let count = 0; count < place.names; count += 1) {
    const read = readName(bytes, at);
    if (!read || read.next > end) return undefined;
    parts.push({ name: read.name });
    at = read.next;
  }
  if (at < end) parts.push(bytes.subarray(at, end));
  return { parts, compress: place.compress };
}
