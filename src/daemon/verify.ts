import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { StorageProblem } from '../api/contract/index.ts';
import type { Garbage, Images, openObjectStore, openStepRecords } from '../cache/index.ts';
import { type ChainId, chainIds, hexOf } from '../oci/index.ts';
import type { LayerStore } from '../runtime/index.ts';

export interface StoredParts {
  readonly dataFolder: string;
  readonly snapshots: LayerStore;
  readonly images: Images['engineImages'];
  readonly records: ReturnType<typeof openStepRecords>;
  readonly store: ReturnType<typeof openObjectStore>;
  readonly garbage: Garbage;
}

/** Compares what is written down with what is there, and all content with its digests. Changes nothing. */
export async function verifyStorage(parts: StoredParts): Promise<readonly StorageProblem[]> {
  const found = await Promise.all([damagedImages(parts), damagedLayers(parts), orphans(parts)]);
  return found.flat();
}

async function damagedImages({ images, snapshots }: StoredParts): Promise<readonly StorageProblem[]> {
  const damaged = (await images.damaged()).map((id) =>
    problem('damaged', id, 'the config of this image is gone or damaged: remove the image and get it again'),
  );
  const missing: StorageProblem[] = [];
  for (const { id, config } of await images.list()) {
    for (const chain of chainIds(config.rootfs.diff_ids)) {
      if (await snapshots.has(chain)) continue;
      missing.push(problem('missing', chain, `image ${id} has lost this layer: pull, load or build it again`));
    }
  }
  return [...damaged, ...missing];
}

/** Reads every layer once. */
async function damagedLayers({ snapshots }: StoredParts): Promise<readonly StorageProblem[]> {
  const problems: StorageProblem[] = [];
  for (const chain of await snapshots.chains()) {
    const info = await snapshots.layerInfo(chain);
    if (info === undefined) continue;
    const why = await differs(snapshots.layerTar(chain), info.diffId);
    if (why !== undefined && (await snapshots.has(chain))) problems.push(problem('damaged', chain, why));
  }
  return problems;
}

async function differs(tar: AsyncIterable<Uint8Array>, diffId: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of tar) hash.update(chunk);
  } catch (error) {
    return `the layer cannot be read: ${(error as Error).message}`;
  }
  const digest = `sha256:${hash.digest('hex')}`;
  return digest === diffId ? undefined : `the layer's content is ${digest} instead of ${diffId}`;
}

async function orphans({ dataFolder, snapshots, images, records, store, garbage }: StoredParts) {
  const problems: StorageProblem[] = [];
  const orphan = (subject: string, message: string) => void problems.push(problem('orphan', subject, message));
  // The stored before those who need it: what comes meanwhile is no orphan.
  const chains = await snapshots.chains();
  const folders = await readdir(`${dataFolder}/layers`);
  const [stored, steps, parents, containers] = await Promise.all([
    images.list(),
    records.all(),
    snapshots.parents(),
    store.list('container'),
  ]);
  const needed = new Set<ChainId>(stored.flatMap(({ config }) => chainIds(config.rootfs.diff_ids)));
  for (const top of [...steps.map(({ record }) => record.layer.chainId), ...parents.values(), ...garbage.leased()]) {
    for (let chain = top; chain !== null && !needed.has(chain); ) {
      needed.add(chain);
      chain = (await snapshots.layerInfo(chain))?.parent ?? null;
    }
  }
  for (const chain of chains)
    if (!needed.has(chain)) orphan(chain, 'no image, container or build record needs this layer');
  const known = new Set((await snapshots.chains()).map(hexOf));
  for (const name of folders) if (!known.has(name)) orphan(`layers/${name}`, 'this folder is no whole layer');
  for (const digest of await images.orphans({ remove: false })) orphan(digest, 'no image has this content');
  for (const id of parents.keys()) {
    if (!id.startsWith('build-') && !containers.includes(id))
      orphan(`roots/${id}`, 'no container has this writable layer');
  }
  for (const { record } of steps) {
    const { chainId } = record.layer;
    if (!(await snapshots.has(chainId)))
      problems.push(problem('missing', chainId, 'a build record has lost its layer'));
  }
  return problems;
}

function problem(Kind: StorageProblem['Kind'], Subject: string, Message: string): StorageProblem {
  return { Kind, Subject, Message };
}
