import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { BerthError } from '../../errors/index.ts';
import {
  canonicalJson,
  type Descriptor,
  type Digest,
  hexOf,
  type Manifest,
  mediaTypes,
  type Reference,
  sha256,
} from '../../oci/index.ts';
import type { RegistryClient } from '../client.ts';
import { Progress } from '../pull/progress.ts';
import { SharedWork } from '../pull/shared-work.ts';
import type { BlobSource, ChunkSender, UploadMemory, UploadOutcome } from '../upload/ports.ts';
import type { LayerBlobs } from './layer-blobs.ts';
import { PackedLayer, type SharedPacking } from './packed-layer.ts';
import type { PushCompression, PushLayer, PushMessage, PushSource } from './ports.ts';

const PARALLEL = 4;
/** What a push that broke off has packed is kept this long. */
const KEEP_MS = 24 * 3600 * 1000;

export interface PusherOptions {
  /** Where compressed layers lie until they are pushed. */
  readonly folder: string;
  readonly blobs: LayerBlobs;
  readonly memory: UploadMemory;
  /** Who carries the chunks of layers. Default: this process. */
  readonly sender?: ChunkSender;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface PushRequest {
  /** With a tag. */
  readonly reference: Reference;
  readonly image: PushSource;
  /** Absent: a compressed form that is known already, else gzip. */
  readonly compression?: PushCompression | undefined;
  /** Annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly emit: (message: PushMessage) => void;
  readonly signal: AbortSignal;
}

export interface Pusher {
  /**
   * Brings an image into a registry: what is there is not sent, what another repository of it has is mounted, the
   * manifest comes last. A push that broke off goes on where it was.
   * @throws BerthError `unauthorized`, `forbidden`, `unavailable`; AbortError
   */
  push(client: RegistryClient, request: PushRequest): Promise<{ readonly digest: Digest }>;
}

export function createPusher({ folder, blobs, memory, sender, now }: PusherOptions): Pusher {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (now() - statSync(path).mtimeMs > KEEP_MS) rmSync(path, { force: true });
  }
  const packing: SharedPacking = {
    folder,
    work: new SharedWork(),
    queue: new PQueue({ concurrency: 1 }),
    users: new Map(),
  };

  return {
    async push(client, { reference, image, compression, annotations, emit, signal }) {
      const progress = new Progress(emit, now);
      emit({ status: `The push refers to repository [${reference.registry}/${reference.repository}]` });
      const packed = image.layers.map((layer) => new PackedLayer(layer, packing, compression));
      for (const { diffId } of image.layers) progress.status('Preparing', shortId(diffId));
      let isPushed = false;
      try {
        const failure = new AbortController();
        const job: LayerJob = {
          client,
          reference,
          progress,
          blobs,
          memory,
          sender,
          format: compression?.format,
          signal: AbortSignal.any([signal, failure.signal]),
        };
        // First, because it is small: who may not push is told so before a layer is compressed.
        const config = await pushConfig(job, image.configBytes);
        const queue = new PQueue({ concurrency: PARALLEL });
        const pushing = image.layers.map((layer, place) =>
          queue
            .add(() => pushLayer(job, layer, packed[place]!))
            .catch((error: unknown) => {
              failure.abort(error);
              throw error;
            }),
        );
        await Promise.allSettled(pushing);
        signal.throwIfAborted();
        if (failure.signal.aborted) throw failure.signal.reason;
        const layers = (await Promise.all(pushing)) as readonly Descriptor[];
        const manifest: Manifest = {
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config,
          layers,
          ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}),
        };
        const bytes = Buffer.from(canonicalJson(manifest));
        const { digest } = await client.putManifest(reference, { bytes, mediaType: mediaTypes.ociManifest, signal });
        isPushed = true;
        const Tag = reference.tag ?? '';
        emit({ status: `${Tag}: digest: ${digest} size: ${bytes.length}` });
        emit({ aux: { Tag, Digest: digest, Size: bytes.length } });
        return { digest };
      } finally {
        await Promise.all(packed.map((layer) => layer.leave({ isPushed })));
      }
    },
  };
}

interface LayerJob {
  readonly client: RegistryClient;
  readonly reference: Reference;
  readonly progress: Progress;
  readonly blobs: LayerBlobs;
  readonly memory: UploadMemory;
  readonly sender: ChunkSender | undefined;
  /** The compression that was asked for. */
  readonly format: PushCompression['format'] | undefined;
  readonly signal: AbortSignal;
}

async function pushLayer(job: LayerJob, layer: PushLayer, packed: PackedLayer): Promise<Descriptor> {
  const { client, reference, blobs, progress, memory, sender, format, signal } = job;
  const id = shortId(layer.diffId);
  const here = `${reference.registry}/${reference.repository}`;
  const known = await blobs.get(layer.diffId, format);
  const mountFrom = (known?.places ?? [])
    .filter((place) => place !== here && place.startsWith(`${reference.registry}/`))
    .map((place) => place.slice(reference.registry.length + 1))
    .slice(0, 1);
  const send = async (blob: Descriptor): Promise<void> => {
    let sent = false;
    const { digest, size } = blob;
    const source: BlobSource = { digest, size, file: () => fileOf(blob), open: (from) => packedFrom(from, blob) };
    const onProgress = (current: number) => {
      sent = true;
      progress.bar('Pushing', id, { current, total: blob.size });
    };
    const outcome = await client.uploadBlob(reference, source, { mountFrom, memory, sender, onProgress, signal });
    await blobs.note(layer.diffId, blob, here);
    progress.status(sent ? 'Pushed' : wordsFor(outcome, mountFrom), id);
  };
  const fileOf = async (blob: Descriptor): Promise<string> => {
    if (!(await packed.isPacked(blob.size))) {
      const made = await packed.pack(signal);
      if (made.digest !== blob.digest) throw new RepackedError(made);
    }
    return packed.path;
  };
  const packedFrom = async function* (from: number, blob: Descriptor) {
    await fileOf(blob);
    yield* packed.read(from);
  };
  const first = known?.blob ?? (await packed.pack(signal));
  try {
    if (!known) await blobs.note(layer.diffId, first);
    await send(first);
    return first;
  } catch (error) {
    // Another compressor made the blob that was remembered, and nobody has it any more.
    if (!(error instanceof RepackedError)) throw error;
    await send(error.made);
    return error.made;
  }
}

class RepackedError extends BerthError {
  readonly made: Descriptor;

  constructor(made: Descriptor) {
    super('internal', 'the layer was compressed anew');
    this.made = made;
  }
}

async function pushConfig({ client, reference, signal }: LayerJob, bytes: Uint8Array): Promise<Descriptor> {
  const source: BlobSource = {
    digest: sha256(bytes),
    size: bytes.length,
    async *open(from) {
      yield bytes.subarray(from);
    },
  };
  await client.uploadBlob(reference, source, { signal });
  return { mediaType: mediaTypes.ociConfig, digest: source.digest, size: source.size };
}

function wordsFor(outcome: UploadOutcome, mountFrom: readonly string[]): string {
  if (outcome === 'present') return 'Layer already exists';
  return outcome === 'mounted' ? `Mounted from ${mountFrom[0]}` : 'Pushed';
}

function shortId(diffId: Digest): string {
  return hexOf(diffId).slice(0, 12);
}
