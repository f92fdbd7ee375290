import PQueue from 'p-queue';
import { BerthError } from '../../errors/index.ts';
import {
  createIndex,
  type Descriptor,
  type Digest,
  encodeIndex,
  formatPlatform,
  hexOf,
  isIndexType,
  mediaTypes,
  type Platform,
  sha256,
} from '../../oci/index.ts';
import { chooseManifest, isAttestation } from '../documents/choose.ts';
import { isForeignLayer } from '../pull/layer-types.ts';
import { Progress } from '../pull/progress.ts';
import { type FetchedDocument, MAX_DEPTH, resolveImage } from '../resolve.ts';
import type { CopyMessage, CopySource, CopyTarget } from './ports.ts';

const PARALLEL = 4;
/** Documents of one copy: more than any index has. */
const MAX_DOCUMENTS = 10_000;

export interface CopyOptions {
  /** Default: all. One gives that image alone, several an index of them. */
  readonly platforms?: readonly Platform[];
  /** Also what refers to what is copied: signatures, attestations. */
  readonly referrers?: boolean;
  readonly emit?: (message: CopyMessage) => void;
  /** Milliseconds since the epoch, for the pace of messages. */
  readonly now?: () => number;
  readonly signal?: AbortSignal;
}

/**
 * Copies an image as it is, byte for byte: an index with all that is in it, artifacts and unknown kinds, too. Nothing is
 * unpacked, and memory does not grow with size. What the target has is not sent, what it can mount is mounted. Children
 * come before what names them, the image itself comes last.
 * @returns the digest of what the target's name is of now
 * @throws BerthError `not-found`, `invalid`, `unauthorized`, `unavailable`; AbortError
 */
export async function copyImage(
  source: CopySource,
  target: CopyTarget,
  options: CopyOptions = {},
): Promise<{ readonly digest: Digest }> {
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  const progress = new Progress(options.emit ?? (() => {}), options.now ?? (() => 0));
  const copy = new Copy({ source, target, progress, signal, failure, referrers: options.referrers === true });
  const top = await selected(source, options.platforms ?? [], signal);
  await copy.document(top, { isTop: true, depth: 0 });
  if (options.referrers) await copy.referrersOf([...copy.copied]);
  await target.commit();
  return { digest: top.digest };
}

async function selected(
  source: CopySource,
  platforms: readonly Platform[],
  signal: AbortSignal,
): Promise<FetchedDocument> {
  const top = await source.getDocument(undefined, signal);
  const [only, ...more] = platforms;
  if (only === undefined || top.document.kind !== 'index') return top;
  if (more.length === 0) {
    const named = source.repository ?? { registry: 'localhost', repository: 'image' };
    const fetch = (reference: { readonly digest?: Digest }) => source.getDocument(reference.digest, signal);
    const { manifestDigest } = await resolveImage(named, only, fetch);
    return await source.getDocument(manifestDigest, signal);
  }
  const { index, mediaType } = top.document;
  const chosen = platforms.map((platform) => {
    const entry = chooseManifest(index.manifests, platform);
    if (entry === undefined) {
      throw new BerthError('not-found', `${source.name} has no image for ${formatPlatform(platform)}`);
    }
    return entry;
  });
  const digests = new Set<string>(chosen.map(({ digest }) => digest));
  // What attests an image goes with it.
  const attesting = index.manifests.filter(
    (entry) => isAttestation(entry) && digests.has(entry.annotations?.['vnd.docker.reference.digest'] ?? ''),
  );
  const { annotations, subject } = index;
  const reduced = createIndex([...chosen, ...attesting], {
    format: mediaType === mediaTypes.dockerList ? 'docker' : 'oci',
    ...(annotations ? { annotations } : {}),
    ...(subject ? { subject } : {}),
  });
  const bytes = encodeIndex(reduced);
  return { bytes, digest: sha256(bytes), document: { kind: 'index', mediaType, index: reduced } };
}

interface CopyParts {
  readonly source: CopySource;
  readonly target: CopyTarget;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly failure: AbortController;
  readonly referrers: boolean;
}

class Copy {
  /** Documents that were copied, for their referrers. */
  readonly copied = new Set<Digest>();
  readonly #parts: CopyParts;
  readonly #queue = new PQueue({ concurrency: PARALLEL });
  readonly #blobs = new Map<Digest, Promise<void>>();

  constructor(parts: CopyParts) {
    this.#parts = parts;
  }

  async document(fetched: FetchedDocument, at: { readonly isTop: boolean; readonly depth: number }): Promise<void> {
    const { source, target, progress, signal } = this.#parts;
    const { document, digest } = fetched;
    if (this.copied.has(digest) && !at.isTop) return;
    if (at.depth > MAX_DEPTH)
      throw new BerthError('invalid', `${source.name}: its indexes are nested more than ${MAX_DEPTH} deep`);
    if (this.copied.size >= MAX_DOCUMENTS)
      throw new BerthError('invalid', `${source.name} has more than ${MAX_DOCUMENTS} manifests`);
    this.copied.add(digest);
    const isThere = await target.hasDocument(digest, signal);
    if (document.kind === 'index') {
      // Its children are looked at even so when their referrers are wanted.
      for (const entry of isThere && !this.#parts.referrers ? [] : document.index.manifests) {
        if (isDocument(entry))
          await this.document(await source.getDocument(entry.digest, signal), { isTop: false, depth: at.depth + 1 });
        else await this.#all([entry]);
      }
    } else if (!isThere) await this.#all([document.manifest.config, ...document.manifest.layers]);
    if (isThere && !at.isTop) return;
    await target.putDocument(fetched, { isTop: at.isTop, signal });
    progress.status(at.isTop ? 'Copied' : 'Copied manifest', shortId(digest));
  }

  /** Also the referrers of referrers: an attestation may be signed. */
  async referrersOf(subjects: readonly Digest[]): Promise<void> {
    const { source, signal } = this.#parts;
    for (const subject of subjects) {
      for (const { digest } of await source.listReferrers(subject, signal)) {
        if (this.copied.has(digest)) continue;
        await this.document(await source.getDocument(digest, signal), { isTop: false, depth: 0 });
        await this.referrersOf([digest]);
      }
    }
  }

  async #all(blobs: readonly Descriptor[]): Promise<void> {
    const { failure, source } = this.#parts;
    const wanted = blobs.filter(({ mediaType }) => source.allowsForeignLayers || !isForeignLayer(mediaType));
    const parts = wanted.map((blob) => {
      const known = this.#blobs.get(blob.digest);
      if (known) return known;
      const part = this.#queue
        .add(() => this.#blob(blob))
        .catch((error: unknown) => {
          failure.abort(error);
          throw error;
        });
      this.#blobs.set(blob.digest, part);
      return part;
    });
    // The first failure ends the rest, and everything has ended before anybody goes on.
    await Promise.allSettled(parts);
    if (failure.signal.aborted) throw failure.signal.reason;
    await Promise.all(parts);
  }

  async #blob(blob: Descriptor): Promise<void> {
    const { source, target, progress, signal } = this.#parts;
    signal.throwIfAborted();
    const id = shortId(blob.digest);
    const onProgress = (current: number) => progress.bar('Copying', id, { current, total: blob.size });
    const outcome = await target.putBlob(blob, source, { onProgress, signal });
    progress.status(
      { present: 'Already exists', mounted: `Mounted from ${source.repository?.repository}`, uploaded: 'Copied' }[
        outcome
      ],
      id,
    );
  }
}

/** An index may also name blobs: caches of builds are kept so. */
function isDocument({ mediaType }: Descriptor): boolean {
  return isIndexType(mediaType) || mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
}

function shortId(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}
