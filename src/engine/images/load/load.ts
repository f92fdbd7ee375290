import type { JsonMessage } from '../../../api/contract/index.ts';
import { decompress, readTar } from '../../../archive/index.ts';
import { BerthError } from '../../../errors/index.ts';
import { hexOf } from '../../../oci/index.ts';
import type { ImageContext } from '../context.ts';
import { shown } from '../names.ts';
import { type DockerItem, planDockerArchive, readDockerManifest } from './docker-archive.ts';
import { LayerIntake } from './intake.ts';
import { planOciLayout } from './oci-layout.ts';
import { ArchiveParts, invalid } from './parts.ts';
import type { ImagePlan, LayerPlan } from './plan.ts';

/** As of layers: gzip cannot expand more than 1032 times, and honest archives do not. */
const MAX_RATIO = 2000;

/**
 * Loads images from a docker-archive or an OCI layout in a tar (plain, gzip, zstd). Entries may come in any order: what
 * is not needed yet is spooled. An archive that starts with its manifest, as ours do, streams straight into layers.
 * Layers of all images are committed before the first image is stored; when one is refused, nothing is left of them.
 * @throws BerthError `invalid` (what is wrong in the archive), `unsupported`, `exhausted`, `cancelled`
 */
export async function* loadImages(
  context: ImageContext,
  tar: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<JsonMessage> {
  const area = await context.ports.spool.open();
  const intake = new LayerIntake(context.ports, signal);
  let stored = false;
  try {
    const parts = new ArchiveParts(area);
    let plans = yield* readArchive(abortable(tar, signal), { parts, intake, signal });
    if (plans === undefined) {
      plans = await planArchive(context, parts);
      await intake.begin(plans);
    }
    for await (const layer of intake.rest((path) => parts.read(path))) yield layerMessage(layer);
    for (const plan of plans) yield* storeImage(context, plan);
    stored = true;
  } finally {
    // Also when the reader of the messages goes away in the middle.
    await (stored ? intake.release() : intake.undo());
    await area.close();
  }
}

interface Reading {
  readonly parts: ArchiveParts;
  readonly intake: LayerIntake;
  readonly signal: AbortSignal;
}

/** Passes once over the archive. @returns the plan, when manifest and configs came before the layers */
async function* readArchive(
  tar: AsyncIterable<Uint8Array>,
  { parts, intake, signal }: Reading,
): AsyncGenerator<JsonMessage, readonly ImagePlan[] | undefined> {
  let items: readonly DockerItem[] | undefined;
  let plans: readonly ImagePlan[] | undefined;
  for await (const { entry, content } of readTar(decompress(tar, { maxRatio: MAX_RATIO }))) {
    signal.throwIfAborted();
    const path = parts.admit(entry);
    if (path === undefined) continue;
    if (plans === undefined) {
      await parts.keep(path, content);
      if (path === 'manifest.json') items = await readDockerManifest(parts);
      plans = items && (await planDockerArchive(parts, items));
      if (plans !== undefined) await intake.begin(plans);
    } else if (intake.canUse(path)) {
      parts.skip(path);
      const layer = await intake.use(path, content);
      if (layer !== undefined) yield layerMessage(layer);
    } else if (intake.isUnneeded(path)) parts.skip(path);
    else await parts.keep(path, content);
  }
  return plans;
}

async function planArchive({ platform }: ImageContext, parts: ArchiveParts): Promise<readonly ImagePlan[]> {
  if (parts.has('manifest.json')) {
    const plans = await planDockerArchive(parts, await readDockerManifest(parts));
    if (plans === undefined) throw invalid('an image config is missing');
    return plans;
  }
  if (parts.has('index.json')) return planOciLayout(parts, platform);
  throw new BerthError('invalid', 'not an archive of images: it has neither manifest.json nor index.json', {
    hint: 'to make an image from the files of a root file system, use import',
  });
}

async function* abortable(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}

async function* storeImage(context: ImageContext, plan: ImagePlan): AsyncGenerator<JsonMessage> {
  const { images } = context.ports;
  const before = await Promise.all(plan.names.map((name) => images.find(name)));
  const image = await images.put(plan.configBytes, plan.names);
  for (const [index, name] of plan.names.entries()) {
    const old = before[index];
    if (old !== undefined && old.id !== image.id) {
      const text = `The image ${shown(name)} already exists, renaming the old one with ID ${old.id} to empty string\n`;
      yield { stream: text };
    }
    context.publish('load', image, shown(name));
    yield { stream: `Loaded image: ${shown(name)}\n` };
  }
  if (plan.names.length > 0) return;
  context.publish('load', image, image.id);
  yield { stream: `Loaded image ID: ${image.id}\n` };
}

function layerMessage({ diffId }: LayerPlan): JsonMessage {
  return { status: 'Layer added', id: hexOf(diffId).slice(0, 12), progressDetail: {} };
}
