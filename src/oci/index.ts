export type * from './container-limits.ts';
export type * from './container-usage.ts';
export {
  algorithmOf,
  type ChainId,
  canonicalJson,
  chainId,
  chainIds,
  type DiffId,
  type Digest,
  hexOf,
  type ImageId,
  isDigest,
  parseDigest,
  sha256,
} from './digest.ts';
export {
  type ContainerConfig,
  type Descriptor,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  type Index,
  type Manifest,
  mediaTypes,
} from './image.ts';
export {
  annotateEntry,
  createIndex,
  type EntryChanges,
  encodeIndex,
  type IndexFormat,
  isIndexType,
} from './image-index.ts';
export { formatPlatform, hostPlatform, type Platform, parsePlatform } from './platform.ts';
export {
  canonicalName,
  familiarName,
  familiarRepository,
  isTag,
  parseReference,
  parseRegistry,
  parseRepository,
  type Reference,
  type Registry,
  type Repository,
  type Tag,
  withDefaultTag,
} from './reference.ts';
export { searchedRegistry } from './search-term.ts';
