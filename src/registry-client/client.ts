import type { Descriptor, Digest, Platform, Reference, Registry, Repository } from '../oci/index.ts';
import { withDefaultTag } from '../oci/index.ts';
import type { Challenge } from './auth/challenge.ts';
import type { Credentials, Keychain } from './auth/keychain.ts';
import { logIn } from './auth/log-in.ts';
import { TokenSource } from './auth/token.ts';
import { type BlobOptions, type OpenBlob, readBlob } from './blob.ts';
import type { RegistryConfig } from './config.ts';
import { fetchDocument, headDocument } from './documents/fetch.ts';
import { listRepositories, listTags } from './documents/list.ts';
import { parseDocument } from './documents/parse.ts';
import { FallbackTags, listReferrers, type ReferrersOptions, referrerEntry, subjectOf } from './documents/referrers.ts';
import { deleteDocument, putDocument } from './documents/write.ts';
import { isInsecure, registryPlace } from './endpoint.ts';
import { foreignSources, withForeign } from './foreign.ts';
import { proxiesOf } from './http/proxy.ts';
import { BackOff, defaultRetry, type RetryPolicy } from './http/retry.ts';
import { readTlsFiles } from './http/tls-files.ts';
import { createTransport, type Transport } from './http/transport.ts';
import { type Access, callAnywhere, type RepositoryName, readAnywhere } from './repository.ts';
import { type FetchedDocument, type ResolvedImage, resolveImage } from './resolve.ts';
import { type SearchOptions, type SearchResult, searchIndex } from './search.ts';
import { type ApiRequest, Session } from './session.ts';
import type { BlobSource, UploadOptions, UploadOutcome } from './upload/ports.ts';
import { uploadBlob } from './upload/upload.ts';

export interface RegistryClientOptions {
  readonly config?: RegistryConfig;
  readonly keychain?: Keychain;
  readonly userAgent: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly retry?: Partial<RetryPolicy>;
  /** Variables that may name proxies. Default: none is used. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Longest silence on a connection. Default 60 s. */
  readonly idleTimeoutMs?: number;
  /** Told of the file descriptor of each new connection, to set what Node cannot. */
  readonly connected?: (fd: number) => void;
  /** Uploads go in requests of this size, which proxies may limit. Default: by the blob, 0.5 to 16 MiB. */
  readonly uploadChunkBytes?: number;
}

/** Speaks to any registry of the OCI distribution protocol. Connections, tokens and waits are shared by its users. */
export interface RegistryClient {
  readonly retry: RetryPolicy;
  /** Layers that lie elsewhere (`urls`) are fetched. */
  readonly allowsForeignLayers: boolean;
  /** The same client with other credentials. */
  as(keychain: Keychain | undefined): RegistryClient;
  /** @returns what the registry asks of clients. @throws BerthError `unavailable` */
  ping(
    registry: string,
    signal?: AbortSignal,
  ): Promise<{ readonly origin: URL; readonly challenges: readonly Challenge[] }>;
  /**
   * Proves credentials at a registry, past its mirrors.
   * @returns a token to keep in place of the password, where the registry gives one
   * @throws BerthError `unauthorized` when they are wrong, `unavailable`
   */
  logIn(
    registry: Registry,
    credentials: Credentials,
    signal?: AbortSignal,
  ): Promise<{ readonly identityToken?: string }>;
  /** Images that a registry's index knows for a term; undefined when it has no search. @throws BerthError `unavailable` */
  search(registry: Registry, term: string, options: SearchOptions): Promise<readonly SearchResult[] | undefined>;
  /** The image under a name, for a platform. @throws BerthError `not-found`, `invalid`, `unsupported`, `unavailable` */
  resolve(reference: Reference, platform: Platform, signal?: AbortSignal): Promise<ResolvedImage>;
  getManifest(reference: Reference, signal?: AbortSignal): Promise<FetchedDocument>;
  headManifest(reference: Reference, signal?: AbortSignal): Promise<Descriptor | undefined>;
  /** Bytes, checked as they pass: only right content comes to its end. */
  fetchBlob(name: RepositoryName, blob: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array>;
  /** Size of a blob; undefined when the registry does not have it. */
  headBlob(name: RepositoryName, digest: Digest, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * Stores a document; what it refers to must be there. One with a subject is listed as a referrer of it afterwards, also
   * where the registry does not do so itself.
   * @returns its digest. @throws BerthError `invalid`, `forbidden`, `conflict`
   */
  putManifest(
    reference: Reference,
    document: { readonly bytes: Uint8Array; readonly mediaType: string; readonly signal?: AbortSignal },
  ): Promise<{ readonly digest: Digest; readonly listsReferrers: boolean }>;
  /** Deletes a tag or, by digest, a document with all its tags. @throws BerthError `not-found`, `unsupported` */
  deleteManifest(reference: Reference, signal?: AbortSignal): Promise<void>;
  listTags(name: RepositoryName, signal?: AbortSignal): AsyncIterable<string>;
  /** Repositories of a registry. @throws BerthError `unauthorized`, `not-found`, `unsupported`: many registries do not tell */
  listRepositories(registry: Registry, signal?: AbortSignal): AsyncIterable<string>;
  /** What refers to a document, as signatures do; also of registries that have no API for it. */
  listReferrers(
    subject: Repository & { readonly digest: Digest },
    options?: ReferrersOptions,
  ): Promise<readonly Descriptor[]>;
  /** Brings a blob into a repository; goes on where an earlier try broke off. */
  uploadBlob(name: RepositoryName, source: BlobSource, options?: UploadOptions): Promise<UploadOutcome>;
  /** Closes idle connections. */
  close(): void;
}

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const { config = {}, now } = options;
  const retry = { ...defaultRetry, ...options.retry };
  const transport = createTransport({
    userAgent: options.userAgent,
    tlsFor: (authority) => {
      const files = readTlsFiles(config.certificateFolders ?? [], authority);
      return { ...files, unverified: files.ca === undefined && isInsecure(authority, config) };
    },
    ...(options.env ? { proxyFor: proxiesOf(options.env) } : {}),
    ...(options.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: options.idleTimeoutMs }),
    connected: options.connected,
  });
  const tokens = new TokenSource(transport, now);
  const session = new Session({ transport, tokens, backOff: new BackOff(now), retry, now });
  const shared = {
    retry,
    chunkBytes: options.uploadChunkBytes,
    close: () => transport.close(),
    fallbackTags: new FallbackTags(),
    transport,
    tokens,
  };
  return clientOf({ session, config, keychain: options.keychain }, shared);
}

interface SharedParts {
  readonly retry: RetryPolicy;
  readonly chunkBytes: number | undefined;
  readonly close: () => void;
  readonly fallbackTags: FallbackTags;
  readonly transport: Transport;
  readonly tokens: TokenSource;
}

function clientOf(access: Access, shared: SharedParts): RegistryClient {
  const { session, config } = access;
  const { retry, chunkBytes, close, fallbackTags, transport, tokens } = shared;
  const allowsForeignLayers = config.allowForeignLayers === true;

  async function listAsReferrer(
    { registry, repository }: Reference,
    {
      bytes,
      mediaType,
      digest,
      signal,
    }: { bytes: Uint8Array; mediaType: string; digest: Digest; signal?: AbortSignal },
  ): Promise<void> {
    const document = parseDocument(bytes, mediaType, repository);
    const subject = subjectOf(document);
    if (subject === undefined) return;
    const entry = referrerEntry(document, { digest, size: bytes.length });
    await fallbackTags.add(access, { registry, repository, digest: subject.digest }, entry, signal);
  }

  /** The subject that a list under a fallback tag belongs to. */
  async function listedSubject(reference: Reference, signal: AbortSignal | undefined): Promise<Digest | undefined> {
    const found = await fetchDocument(access, reference, signal).catch(() => undefined);
    return found && subjectOf(found.document)?.digest;
  }

  return {
    retry,
    allowsForeignLayers,
    close,
    as: (keychain) => clientOf({ ...access, keychain }, shared),
    ping: async (registry, signal) => await session.open(registryPlace(registry, config).host, signal),
    logIn: async (registry, credentials, signal) =>
      await logIn({ session, transport, tokens }, { host: registryPlace(registry, config).host, credentials, signal }),
    search: (registry, term, options) => searchIndex(access, transport, { registry, term, ...options }),
    resolve: (reference, platform, signal) =>
      resolveImage(withDefaultTag(reference), platform, (wanted) => fetchDocument(access, wanted, signal)),
    getManifest: (reference, signal) => fetchDocument(access, withDefaultTag(reference), signal),
    headManifest: (reference, signal) => headDocument(access, withDefaultTag(reference), signal),
    fetchBlob(name, blob, blobOptions) {
      const open = (offset: number, signal: AbortSignal | undefined) =>
        readAnywhere(access, name, (place) => session.once(place, blobRequest(blob.digest, offset, signal)));
      const fetch = (from: OpenBlob) => readBlob(blob, from, retry, blobOptions);
      if (!allowsForeignLayers || (blob.urls ?? []).length === 0) return fetch(open);
      return withForeign(fetch, open, foreignSources(blob, transport, retry));
    },
    async putManifest(reference, document) {
      const named = withDefaultTag(reference);
      const result = await putDocument(access, named, document);
      if (!result.listsReferrers) await listAsReferrer(named, { ...document, digest: result.digest });
      return result;
    },
    async deleteManifest(reference, signal) {
      const named = withDefaultTag(reference);
      const subject = named.digest && (await listedSubject(named, signal));
      await deleteDocument(access, named, signal);
      if (named.digest === undefined || subject === undefined) return;
      const { registry, repository } = named;
      await fallbackTags.remove(access, { registry, repository, digest: subject }, named.digest, signal);
    },
    listRepositories: (registry, signal) => listRepositories(access, registry, signal),
    listReferrers: (subject, referrersOptions) => listReferrers(access, subject, referrersOptions),
    listTags: (name, signal) => listTags(access, name, signal),
    uploadBlob: (name, source, uploadOptions) =>
      uploadBlob({ ...access, retry, chunkBytes, transport }, name, source, uploadOptions),
    headBlob: (name, digest, signal) =>
      callSized(access, name, { ...blobRequest(digest, 0, signal), method: 'HEAD', understood: [404] }),
  };
}

function blobRequest(digest: Digest, offset: number, signal: AbortSignal | undefined): ApiRequest {
  return {
    method: 'GET',
    path: `blobs/${digest}`,
    headers: offset > 0 ? { Range: `bytes=${offset}-` } : {},
    actions: 'pull',
    doing: `getting blob ${digest.slice(0, 19)}`,
    understood: offset > 0 ? [416] : [],
    signal,
  };
}

function callSized(access: Access, name: RepositoryName, request: ApiRequest): Promise<number | undefined> {
  return callAnywhere(access, name, request, (response) => {
    response.discard();
    return response.status === 404 ? undefined : Number(response.header('content-length') ?? 0);
  });
}
