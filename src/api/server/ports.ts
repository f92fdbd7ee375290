import type { BuildEvent } from '../../builder/events.ts';
import type { EngineApi, UsageApi } from '../../engine/index.ts';
import type { ImageId } from '../../oci/index.ts';
import type {
  DistributionInspect,
  Filters,
  ImageSearchResult,
  InfoBody,
  JsonMessage,
  RegistryAuth,
  VersionBody,
} from '../contract/index.ts';

/** What the server needs to answer every route. `daemon` supplies it; tests supply fakes. */
export interface Services {
  readonly engine: EngineApi;
  readonly system: SystemApi;
  readonly builds: BuildsApi;
  readonly usage: UsageApi;
  /** Absent while this engine cannot reach registries: pulling is then an error that says so. */
  readonly pulls?: PullsApi;
  readonly pushes?: PushesApi;
  readonly distribution?: DistributionApi;
  /** What else registries are asked for. */
  readonly registries?: RegistriesApi;
  readonly log: ServerLog;
}

/** Called for failures that no client caused. */
export type ServerLog = (message: string, error?: unknown) => void;

export interface SystemApi {
  /** What the headers of every answer say. */
  readonly facts: { readonly version: string; readonly experimental: boolean };
  version(): VersionBody | Promise<VersionBody>;
  info(): Promise<InfoBody>;
}

export interface BuildsApi {
  /** Resolves when the image is stored under its names. Events come in order, before it resolves. */
  build(
    input: BuildInput,
    options: { emit(event: BuildEvent): void; signal: AbortSignal },
  ): Promise<{ image: ImageId }>;
}

/** One build as it was asked for: nothing is read, expanded or completed yet. */
export interface BuildInput {
  readonly source:
    | { readonly kind: 'path'; readonly path: string }
    | { readonly kind: 'tar'; readonly stream: AsyncIterable<Uint8Array> }
    /** A git repository, an archive, or a Dockerfile. */
    | { readonly kind: 'remote'; readonly url: string }
    | { readonly kind: 'dockerfile-only' };
  readonly dockerfile:
    | { readonly kind: 'in-context'; readonly path: string }
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'text'; readonly text: string; readonly name: string };
  /** As the user wrote them. */
  readonly names: readonly string[];
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  readonly platform?: string;
  /** Seconds since the epoch. */
  readonly sourceDateEpoch?: number;
  readonly network?: string;
  /** Values for steps that ask for them, by id. */
  readonly secrets?: ReadonlyMap<string, Uint8Array>;
  /** Sockets of agents on this machine, by id. */
  readonly agents?: ReadonlyMap<string, string>;
  /** Rights that steps may ask for, as `network.host`. */
  readonly allow?: readonly string[];
  /** Who the caller is at registries, by `docker.io` or host: for the images that this build is made from. */
  readonly auths?: ReadonlyMap<string, RegistryAuth>;
}

export interface PullsApi {
  /** Resolves when the image is stored. A failure before the first message becomes an HTTP status. */
  pull(
    reference: string,
    options: {
      readonly platform?: string;
      readonly auth?: RegistryAuth;
      emit(message: JsonMessage): void;
      readonly signal: AbortSignal;
    },
  ): Promise<void>;
}

export interface DistributionApi {
  /** Asks a registry what it has under a name. @throws BerthError `not-found`, `unauthorized`, `unavailable` */
  inspect(
    name: string,
    options: { readonly auth?: RegistryAuth; readonly signal: AbortSignal },
  ): Promise<DistributionInspect>;
}

export interface PushesApi {
  /**
   * Resolves when the registry has the image. Without a tag, all tags of the repository are pushed.
   * A failure before the first message becomes an HTTP status.
   */
  push(
    name: string,
    options: {
      readonly tag?: string;
      readonly auth?: RegistryAuth;
      readonly compression?: { readonly format: 'gzip' | 'zstd'; readonly level?: number };
      /** Annotations of the manifest. */
      readonly annotations?: Readonly<Record<string, string>>;
      emit(message: JsonMessage): void;
      readonly signal: AbortSignal;
    },
  ): Promise<void>;
}

export interface RegistriesApi {
  /**
   * Proves credentials at the registry that they name (none is Docker Hub).
   * @returns a token to keep in place of the password, or ''
   * @throws BerthError `unauthorized`, `unavailable`
   */
  logIn(auth: RegistryAuth, signal: AbortSignal): Promise<string>;
  /** @throws BerthError `invalid`, `unavailable` */
  search(
    term: string,
    options: {
      readonly limit: number | undefined;
      readonly filters: Filters;
      readonly auth?: RegistryAuth;
      readonly signal: AbortSignal;
    },
  ): Promise<readonly ImageSearchResult[]>;
  /** Opens what an import names by its URL. @throws BerthError `forbidden`, `not-found`, `unavailable` */
  download(url: string, signal: AbortSignal): Promise<Download>;
}

/** A file of the web, here in whole. */
export interface Download {
  readonly content: AsyncIterable<Uint8Array>;
  /** Deletes it. Idempotent. */
  dispose(): Promise<void>;
}
