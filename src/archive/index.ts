export {
  type Compression,
  compress,
  compressionOf,
  type DecompressOptions,
  decompress,
  type Format,
} from './compression.ts';
export type { EntryType, TarEntry } from './entry.ts';
export { encodeHeader, endOfArchive, padding } from './header.ts';
export { decodeName, encodeName } from './names.ts';
export { type TarHandler, type TarLimits, TarParser } from './parser.ts';
export { type ArchiveMember, readTar } from './read.ts';
export { OPAQUE_WHITEOUT, parseWhiteout, WHITEOUT_PREFIX, type Whiteout } from './whiteout.ts';
