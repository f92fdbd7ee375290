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
export { formatPlatform, hostPlatform, type Platform, parsePlatform } from './platform.ts';
export {
  canonicalName,
  familiarName,
  familiarRepository,
  parseReference,
  type Reference,
  withDefaultTag,
} from './reference.ts';
