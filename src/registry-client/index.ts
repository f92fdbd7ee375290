export { type CredentialStore, type CredentialStoreOptions, openCredentialStore } from './auth/credential-store.ts';
export { type Credentials, createKeychain, type Keychain, registryOf } from './auth/keychain.ts';
export type { BlobOptions } from './blob.ts';
export { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './client.ts';
export { type Mirror, parseRegistryConfig, type RegistryConfig, type RegistryRule } from './config.ts';
export { type CopyOptions, copyImage } from './copy/copy-image.ts';
export { type LayoutImage, layoutSource, layoutTarget } from './copy/layout.ts';
export {
  type ImageLocation,
  type OpenLocationOptions,
  openSource,
  openTarget,
  parseLocation,
} from './copy/location.ts';
export type { CopyMessage, CopySource, CopyTarget } from './copy/ports.ts';
export { registrySource, registryTarget } from './copy/registry-place.ts';
export { isAttestation } from './documents/choose.ts';
export type { Document } from './documents/parse.ts';
export type { ReferrersOptions } from './documents/referrers.ts';
export type { RetryPolicy } from './http/retry.ts';
export { type OpenRegistriesOptions, openRegistries, type RegistryFiles, registryFilesOf } from './open.ts';
export type { PullMessage, PullSink } from './pull/ports.ts';
export { createPuller, type Puller, type PullerOptions, type PullRequest } from './pull/puller.ts';
export { type LayerBlobs, openLayerBlobs } from './push/layer-blobs.ts';
export type { PushLayer, PushMessage, PushSource } from './push/ports.ts';
export { createPusher, type Pusher, type PusherOptions, type PushRequest } from './push/pusher.ts';
export { type FetchedDocument, type ResolvedImage, resolveImage } from './resolve.ts';
export type { SearchOptions, SearchResult } from './search.ts';
export type {
  BlobSource,
  Chunk,
  ChunkSender,
  SentChunk,
  UploadMemory,
  UploadOptions,
  UploadOutcome,
} from './upload/ports.ts';
export { openSenderProcess, type SenderProcess, type SenderProcessOptions } from './upload/sender/open-sender.ts';
export { openUploadMemory } from './upload/upload-memory.ts';
