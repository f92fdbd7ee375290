import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTar } from '../../../src/archive/index.ts';
import { addImage, bytesOf, imagesEngine, lines, messages, stream } from './engine.ts';

const APP = 'docker.io/library/app:1';
const OTHER = 'ghcr.io/me/other:latest';
const never = new AbortController().signal;

async function twoImages() {
  const engine = await imagesEngine();
  const app = await addImage(engine, [APP], ['base', 'app layer'], { created: '2026-01-01T00:00:00Z' });
  const other = await addImage(engine, [OTHER], ['base', 'other layer', 'top'], { config: { Cmd: ['sh'] } });
  return { engine, app, other, saved: await bytesOf(await engine.api.save(['app:1', 'ghcr.io/me/other'])) };
}

describe('save, then load into an empty engine', () => {
  it.each([
    ['as it is', (bytes: Buffer) => bytes],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('gives the same images, byte by byte (%s)', async (_how, pack) => {
    const { app, other, saved, engine } = await twoImages();
    const fresh = await imagesEngine();
    expect(await lines(fresh.api.load(stream(pack(saved)), never))).toBe(
      'Loaded image: app:1\nLoaded image: ghcr.io/me/other:latest\n',
    );
    for (const image of [app, other]) expect(await fresh.ports.images.get(image.id)).toEqual(image);
    expect(fresh.snapshots.layers).toEqual(engine.snapshots.layers);
    expect(await bytesOf(await fresh.api.save(['app:1', 'ghcr.io/me/other']))).toEqual(saved);
    expect(await fresh.temps()).toEqual([]);
  });

  it('streams our own archives into layers without a detour over the disk', async () => {
    const { saved } = await twoImages();
    const fresh = await imagesEngine();
    const spooled: string[] = [];
    const open = fresh.ports.spool.open;
    const spool = {
      open: async () => {
        const area = await open();
        return {
          ...area,
          write: async (key: string, content: AsyncIterable<Uint8Array>) => {
            spooled.push(key);
            return area.write(key, content);
          },
        };
      },
    };
    Object.assign(fresh.ports.spool, spool);
    await messages(fresh.api.load(stream(saved), never));
    // The names for old readers, two configs and a manifest between them at most; of six layer mentions none.
    expect(spooled.length).toBeLessThanOrEqual(7);
    expect(fresh.snapshots.applied).toBe(4);
  });

  it('applies nothing that is there already', async () => {
    const { engine, saved } = await twoImages();
    const before = engine.snapshots.applied;
    expect(await lines(engine.api.load(stream(saved), never))).toContain('Loaded image: app:1\n');
    expect(engine.snapshots.applied).toBe(before);
  });

  it('loads an image without a name as an id', async () => {
    const { engine, app } = await twoImages();
    const fresh = await imagesEngine();
    const saved = await bytesOf(await engine.api.save([app.id.slice(7, 19)]));
    expect(await lines(fresh.api.load(stream(saved), never))).toBe(`Loaded image ID: ${app.id}\n`);
    expect((await fresh.ports.images.get(app.id))?.names).toEqual([]);
  });

  it('says that a name moves, and keeps the older image without it', async () => {
    const { saved } = await twoImages();
    const fresh = await imagesEngine();
    const old = await addImage(fresh, [APP], ['old']);
    expect(await lines(fresh.api.load(stream(saved), never))).toContain(
      `The image app:1 already exists, renaming the old one with ID ${old.id} to empty string\n`,
    );
    expect((await fresh.ports.images.get(old.id))?.names).toEqual([]);
  });

  it('tells about load and save in events', async () => {
    const { engine, app, saved } = await twoImages();
    await messages(engine.api.load(stream(saved), never));
    const seen = engine.events.map(({ Action, Actor }) => [Action, Actor.ID, Actor.Attributes['name']]);
    expect(seen).toContainEqual(['save', app.id, app.id]);
    expect(seen).toContainEqual(['load', app.id, 'app:1']);
  });
});

describe('a saved archive', () => {
  it('has each path once, no times and no owners', async () => {
    const { saved } = await twoImages();
    const names: string[] = [];
    for await (const { entry } of readTar(stream(saved))) {
      names.push(entry.name);
      expect(entry).toMatchObject({ uid: 0, gid: 0, mtime: 0 });
    }
    expect(new Set(names).size).toBe(names.length);
    expect(names.slice(0, 3)).toEqual(['manifest.json', 'index.json', 'oci-layout']);
    expect(names.filter((name) => name.startsWith('blobs/sha256/'))).toHaveLength(4 + 4);
  });

  it('has the same bytes each time', async () => {
    const { saved } = await twoImages();
    expect((await twoImages()).saved).toEqual(saved);
  });

  it('names every tag of a repository when none is given', async () => {
    const engine = await imagesEngine();
    const image = await addImage(engine, [APP, 'docker.io/library/app:2', OTHER], ['base']);
    const saved = await bytesOf(await engine.api.save(['app']));
    const fresh = await imagesEngine();
    await messages(fresh.api.load(stream(saved), never));
    expect((await fresh.ports.images.get(image.id))?.names).toEqual([APP, 'docker.io/library/app:2']);
  });

  it('is not begun when an image is not there, or a layer is missing', async () => {
    const { engine, app } = await twoImages();
    await expect(engine.api.save(['app:1', 'nothing'])).rejects.toThrow('No such image: nothing:latest');
    await expect(engine.api.save([])).rejects.toMatchObject({ kind: 'invalid' });
    engine.snapshots.layers.clear();
    await expect(engine.api.save([app.id])).rejects.toMatchObject({ kind: 'internal' });
  });

  it('fails rather than ends well when a layer turns out to have other bytes', async () => {
    const { engine, app } = await twoImages();
    for (const layer of engine.snapshots.layers.values()) layer.tar[600] = 1;
    await expect(bytesOf(await engine.api.save([app.id]))).rejects.toMatchObject({ kind: 'invalid' });
  });
});
