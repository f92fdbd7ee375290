export { type Credentials, createKeychain, type Keychain } from './auth/keychain.ts';
export type { BlobOptions } from './blob.ts';
export { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './client.ts';
export { type Mirror, parseRegistryConfig, type RegistryConfig, type RegistryRule } from './config.ts';
export type { RetryPolicy } from './http/retry.ts';
export type { PullMessage, PullSink } from './pull/ports.ts';
export { createPuller, type Puller, type PullerOptions, type PullRequest } from './pull/puller.ts';
export type { FetchedDocument, ResolvedImage } from './resolve.ts';
