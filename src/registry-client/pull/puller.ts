import PQueue from 'p-queue';
import { BerthError } from '../../errors/index.ts';
import {
  type ChainId,
  canonicalName,
  chainIds,
  type Descriptor,
  type DiffId,
  familiarName,
  formatPlatform,
  hexOf,
  type Platform,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts';
import type { RegistryClient } from '../client.ts';
import { suits } from '../documents/choose.ts';
import type { LayerBlobs } from '../push/layer-blobs.ts';
import type { ResolvedImage } from '../resolve.ts';
import type { Download } from './download.ts';
import { Downloads, type JoinedDownload } from './downloads.ts';
import { checkConfigDescriptor, type PulledConfig, parsePulledConfig } from './image-config.ts';
import { checkLayerTypes } from './layer-types.ts';
import type { PullMessage, PullSink } from './ports.ts';
import { Progress } from './progress.ts';
import { SharedWork } from './shared-work.ts';

/** Layers that are unpacked at once: each takes a core, and memory. */
const UNPACKED_AT_ONCE = 2;

export interface PullerOptions {
  /** Where layers lie until their image is stored. What a broken pull leaves there is used by the next one. */
  readonly folder: string;
  readonly sink: PullSink;
  /** Told where layers came from, so that a push need not send them there again. */
  readonly blobs?: LayerBlobs;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface PullRequest {
  readonly reference: Reference;
  readonly platform: Platform;
  /** The user named the platform: another one is then no answer. */
  readonly isPlatformFixed: boolean;
  readonly emit: (message: PullMessage) => void;
  readonly signal: AbortSignal;
}

export interface Puller {
  /**
   * Fetches an image: layers download and are unpacked side by side, and are stored in order. Pulls that need the same
   * layer share its download. When it fails, no layer of it stays.
   * @throws BerthError `not-found`, `invalid`, `unsupported`, `unavailable`, `exhausted`; AbortError
   */
  pull(client: RegistryClient, request: PullRequest): Promise<void>;
}

/** One layer of an image on its way. */
interface LayerPlan {
  readonly blob: Descriptor;
  readonly diffId: DiffId;
  readonly chain: ChainId;
  readonly parent: ChainId | null;
  /** As docker shows it. */
  readonly id: string;
}

/** A layer, and where its bytes come from. */
interface ComingLayer {
  readonly layer: LayerPlan;
  readonly download: Download;
  readonly progress: Progress;
}

interface Pull {
  readonly client: RegistryClient;
  readonly image: ResolvedImage;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Pulls images into one place. */
export function createPuller({ folder, sink, blobs, now }: PullerOptions): Puller {
  const downloads = new Downloads(folder, now);
  const unpacking = new SharedWork<void>();

  /** Gets the layers that are missing. */
  async function fetchLayers(pull: Pull, layers: readonly LayerPlan[]): Promise<void> {
    const { client, image, progress } = pull;
    const failure = new AbortController();
    const signal = AbortSignal.any([pull.signal, failure.signal]);
    const joined: JoinedDownload[] = [];
    let isDone = false;
    try {
      for (const { blob } of layers) {
        joined.push(downloads.join(blob, (options) => client.fetchBlob(image.reference, blob, options)));
      }
      for (const { id } of layers) progress.status('Pulling fs layer', id);
      const downloading = layers.map((layer, place) => download(layer, joined[place]!, { progress, signal }));
      const parts = layers.map((layer, place) => ({ layer, download: joined[place]!.download, progress }));
      // They begin in order: the lowest that is not stored yet is always among those that are unpacked.
      const queue = new PQueue({ concurrency: UNPACKED_AT_ONCE });
      const unpacked = layers.map(async ({ id }, place) => {
        // Without the signal, which would end the wait and not the work.
        await queue.add(() => storeLayer(parts.slice(0, place + 1), signal));
        // A layer may be whole before its compressed form has come to an end.
        await downloading[place];
        progress.status('Pull complete', id);
      });
      // The first failure ends the rest, and everything has ended before anybody goes on.
      const running = [...downloading, ...unpacked].map((part) =>
        part.catch((error: unknown) => {
          failure.abort(error);
          throw error;
        }),
      );
      const results = await Promise.allSettled(running);
      pull.signal.throwIfAborted();
      if (failure.signal.aborted) throw failure.signal.reason;
      isDone = results.every(({ status }) => status === 'fulfilled');
    } finally {
      const keep = !isDone && isResumable(pull.signal, failure.signal.reason);
      await Promise.all(joined.map((one) => one.leave({ keep })));
    }
  }

  /** Stores the last of some layers, of which each stands on the one before it. */
  async function storeLayer(stack: readonly ComingLayer[], signal: AbortSignal): Promise<void> {
    const { layer, download, progress } = stack.at(-1)!;
    const total = layer.blob.size;
    await unpacking.run(layer.chain, signal, async (all) => {
      if (await sink.hasLayer(layer.chain)) return;
      const told = (async function* () {
        let current = 0;
        for await (const chunk of download.read()) {
          current += chunk.length;
          yield chunk;
          if (download.isComplete) progress.bar('Extracting', layer.id, { current, total });
        }
      })();
      const how = { expected: layer.diffId, signal: all };
      const below = stack.slice(0, -1);
      if (below.length === 0) return await sink.applyLayer(layer.parent, told, how);
      const left = new AbortController();
      // Of this work's own: whoever began the layer below may leave before everybody else does.
      const parentReady = storeLayer(below, AbortSignal.any([all, left.signal]));
      const ended = parentReady.catch(() => {});
      try {
        await sink.applyLayer(layer.parent, told, { ...how, parentReady });
      } finally {
        left.abort();
        await ended;
      }
    });
  }

  return {
    async pull(client, { reference: named, platform, isPlatformFixed, emit, signal }) {
      const reference = withDefaultTag(named);
      const image = await client.resolve(reference, platform, signal);
      checkConfigDescriptor(image);
      checkLayerTypes(image, { allowsForeign: client.allowsForeignLayers });
      const configBytes = await collect(client.fetchBlob(reference, image.manifest.config, { signal }));
      const config = parsePulledConfig(configBytes, image);
      if (isPlatformFixed && !suits(config.platform, platform)) throw wrongPlatform(image, config, platform);
      const progress = new Progress(emit, now);
      progress.status(`Pulling from ${reference.repository}`, reference.digest ?? reference.tag);
      const plans = planLayers(image, config);
      const release = await sink.hold(plans.map(({ chain }) => chain));
      let missing: readonly LayerPlan[] = [];
      let isStored = false;
      try {
        const isKnown = await sink.hasImage(image.manifest.config.digest);
        missing = await missingLayers(plans, isKnown ? undefined : progress);
        await fetchLayers({ client, image, progress, signal }, missing);
        const { isNew } = await sink.putImage({ configBytes, ...namesOf(image) });
        isStored = true;
        for (const { diffId, blob } of plans) {
          await blobs?.note(diffId, blob, `${reference.registry}/${reference.repository}`);
          // A crash between the layer and the end of the pull left its file, and nobody needed it again.
          await downloads.forget(blob);
        }
        progress.status(`Digest: ${image.digest}`);
        const outcome = isNew ? 'Downloaded newer image for' : 'Image is up to date for';
        progress.status(`Status: ${outcome} ${familiarName(reference)}`);
      } finally {
        release();
        // Also what was being unpacked when another part failed.
        if (!isStored) await sink.removeLayers(missing.map(({ chain }) => chain));
      }
    },
  };

  /** Docker is silent about the layers of an image that it has. */
  async function missingLayers(
    plans: readonly LayerPlan[],
    progress: Progress | undefined,
  ): Promise<readonly LayerPlan[]> {
    let present = 0;
    for (const { chain, id } of plans) {
      if (!(await sink.hasLayer(chain))) break;
      progress?.status('Already exists', id);
      present += 1;
    }
    return plans.slice(present);
  }
}

async function download(
  { id, blob }: LayerPlan,
  { download, run }: JoinedDownload,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const stop = download.watch(() => progress.bar('Downloading', id, { current: download.written, total: blob.size }));
  try {
    await run(signal);
  } finally {
    stop();
  }
  progress.status('Download complete', id);
}

function planLayers({ manifest }: ResolvedImage, { diffIds }: PulledConfig): readonly LayerPlan[] {
  const chains = chainIds(diffIds);
  return manifest.layers.map((blob, place) => ({
    blob,
    diffId: diffIds[place]!,
    chain: chains[place]!,
    parent: chains[place - 1] ?? null,
    id: hexOf(blob.digest).slice(0, 12),
  }));
}

/** An image that was asked for by digest gets no tag. */
function namesOf({ reference, digest }: ResolvedImage): { names: readonly string[]; repoDigests: readonly string[] } {
  const { registry, repository, tag } = reference;
  return {
    names: tag === undefined || reference.digest !== undefined ? [] : [canonicalName({ registry, repository, tag })],
    repoDigests: [canonicalName({ registry, repository, digest })],
  };
}

/** What came so far is kept for the next try, unless it was refused or there is no room for it. */
function isResumable(signal: AbortSignal, failure: unknown): boolean {
  return signal.aborted || (failure as { kind?: unknown } | undefined)?.kind === 'unavailable';
}

function wrongPlatform({ reference }: ResolvedImage, { platform }: PulledConfig, wanted: Platform): BerthError {
  const [want, have] = [formatPlatform(wanted), formatPlatform(platform)];
  return new BerthError(
    'not-found',
    `image with reference ${familiarName(reference)} was found but does not match the specified platform: wanted ${want}, actual: ${have}`,
  );
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
