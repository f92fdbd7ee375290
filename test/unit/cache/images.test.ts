import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openImageStore } from '../../../src/cache/index.ts';
import { chainIds, type DiffId, hexOf, type ImageConfig, sha256 } from '../../../src/oci/index.ts';
import { dataFolder, filesIn } from './folder.ts';

const NAME = 'docker.io/library/app:1';
const OTHER = 'docker.io/library/app:2';
const clock = { now: () => Date.UTC(2026, 0, 1) };

function configOf(text: string, layers: readonly DiffId[] = []): ImageConfig {
  return {
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { text } },
    rootfs: { type: 'layers', diff_ids: layers },
  };
}

const bytesOf = (text: string) => Buffer.from(JSON.stringify(configOf(text)));

describe('image store', () => {
  it('keeps the exact config bytes, whose digest is the id', async () => {
    const { engineImages } = openImageStore(await dataFolder(), clock);
    const bytes = Buffer.from(`${JSON.stringify(configOf('a'), null, 3)}\n`);
    const image = await engineImages.put(bytes, [NAME]);
    expect(image.id).toBe(sha256(bytes));
    expect(image).toMatchObject({ names: [NAME], repoDigests: [], taggedAt: '2026-01-01T00:00:00.000Z' });
    expect(Buffer.from(image.configBytes)).toEqual(bytes);
    expect(await engineImages.find(NAME)).toEqual(image);
  });

  it('has everything again in a new process', async () => {
    const folder = await dataFolder();
    const first = await openImageStore(folder, clock).engineImages.put(bytesOf('a'), [NAME, OTHER]);
    const again = openImageStore(folder, clock).engineImages;
    expect(await again.get(first.id)).toEqual(first);
    expect(await again.list()).toEqual([first]);
  });

  it('moves a name to the newest image and keeps the older one without it', async () => {
    const { engineImages } = openImageStore(await dataFolder(), clock);
    const old = await engineImages.put(bytesOf('a'), [NAME]);
    const fresh = await engineImages.put(bytesOf('b'), [NAME]);
    expect((await engineImages.find(NAME))?.id).toBe(fresh.id);
    expect((await engineImages.get(old.id))?.names).toEqual([]);
  });

  it('finds by repository digest, with and without a tag before it', async () => {
    const { engineImages } = openImageStore(await dataFolder(), clock);
    const digest = `docker.io/library/app@${sha256('manifest')}`;
    const { id } = await engineImages.put(bytesOf('a'), [], [digest]);
    expect((await engineImages.find(digest))?.id).toBe(id);
    expect((await engineImages.find(digest.replace('@', ':1@')))?.id).toBe(id);
    await engineImages.untag(digest);
    expect(await engineImages.find(digest)).toBeUndefined();
    expect((await engineImages.get(id))?.repoDigests).toEqual([]);
  });

  it('removes config, names and blob', async () => {
    const folder = await dataFolder();
    const { engineImages } = openImageStore(folder, clock);
    const { id } = await engineImages.put(bytesOf('a'), [NAME]);
    await engineImages.remove(id);
    await engineImages.remove(id);
    expect(await engineImages.find(NAME)).toBeUndefined();
    expect(await filesIn(folder)).toEqual(['images/refs.json']);
  });

  it('keeps every name of many writers at once', async () => {
    const folder = await dataFolder();
    const { engineImages } = openImageStore(folder, clock);
    const names = Array.from({ length: 20 }, (_, index) => `docker.io/library/app:${index}`);
    await Promise.all(names.map((name, index) => engineImages.put(bytesOf(String(index % 5)), [name])));
    const reopened = openImageStore(folder, clock).engineImages;
    for (const [index, name] of names.entries()) {
      expect((await reopened.find(name))?.config.config?.Labels).toEqual({ text: String(index % 5) });
    }
  });

  it('writes nothing when nothing changes', async () => {
    const folder = await dataFolder();
    const { engineImages } = openImageStore(folder, clock);
    await engineImages.put(bytesOf('a'), [NAME]);
    await rm(join(folder, 'images'), { recursive: true });
    await engineImages.put(bytesOf('a'), [NAME]);
    expect(await filesIn(join(folder, 'images'))).toEqual([]);
  });

  it('keeps the old names, on disk and in memory, when the new ones cannot be written', async () => {
    const folder = await dataFolder();
    const { engineImages } = openImageStore(folder, clock);
    const { id } = await engineImages.put(bytesOf('a'), [NAME]);
    const before = await readFile(join(folder, 'images/refs.json'));
    await rm(join(folder, 'tmp'), { recursive: true });
    await writeFile(join(folder, 'tmp'), 'a file where a folder has to be');
    await expect(engineImages.tag(id, OTHER)).rejects.toThrow();
    expect(await readFile(join(folder, 'images/refs.json'))).toEqual(before);
    expect((await engineImages.get(id))?.names).toEqual([NAME]);
    await rm(join(folder, 'tmp'));
    await engineImages.tag(id, OTHER);
    expect((await engineImages.get(id))?.names).toEqual([NAME, OTHER]);
  });

  it('replaces refs.json, never writes into it: a reader that has it open sees no torn text', async () => {
    const folder = await dataFolder();
    const { engineImages } = openImageStore(folder, clock);
    const path = join(folder, 'images/refs.json');
    const { id } = await engineImages.put(bytesOf('a'), [NAME]);
    const file = await open(path);
    await engineImages.tag(id, OTHER);
    expect(JSON.parse(await file.readFile('utf8')).names).toEqual({ [NAME]: id });
    await file.close();
    expect(JSON.parse(await readFile(path, 'utf8')).names).toEqual({ [NAME]: id, [OTHER]: id });
  });

  it('refuses to start empty over names that it cannot read', async () => {
    const folder = await dataFolder();
    await mkdir(join(folder, 'images'));
    await writeFile(join(folder, 'images/refs.json'), '{"version":1,"ima');
    const { engineImages } = openImageStore(folder, clock);
    await expect(engineImages.list()).rejects.toMatchObject({ kind: 'internal' });
    await expect(engineImages.put(bytesOf('a'), [NAME])).rejects.toMatchObject({ kind: 'internal' });
  });

  it('lists the other images when one config is damaged', async () => {
    const folder = await dataFolder();
    const { engineImages } = openImageStore(folder, clock);
    const bad = await engineImages.put(bytesOf('a'), [NAME]);
    const good = await engineImages.put(bytesOf('b'), [OTHER]);
    await writeFile(join(folder, 'content/blobs/sha256', hexOf(bad.id)), 'x');
    const reopened = openImageStore(folder, clock).engineImages;
    expect((await reopened.list()).map(({ id }) => id)).toEqual([good.id]);
    await expect(reopened.find(NAME)).rejects.toMatchObject({ kind: 'internal' });
  });

  it.each([
    ['no JSON', '{'],
    ['no rootfs', '{"os":"linux"}'],
    ['a null among the diff ids', '{"rootfs":{"diff_ids":[null]}}'],
    ['a path as diff id', '{"rootfs":{"diff_ids":["../../etc"]}}'],
    ['Env that is no list', '{"config":{"Env":"A=1"},"rootfs":{"diff_ids":[]}}'],
    ['history that is no list of objects', '{"history":[1],"rootfs":{"diff_ids":[]}}'],
  ])('refuses a config with %s, and leaves nothing', async (_what, text) => {
    const folder = await dataFolder();
    const { engineImages } = openImageStore(folder, clock);
    await expect(engineImages.put(Buffer.from(text), [NAME])).rejects.toMatchObject({ kind: 'invalid' });
    expect(await filesIn(folder)).toEqual([]);
  });

  it("reads Go's null as absent", async () => {
    const { engineImages } = openImageStore(await dataFolder(), clock);
    const text = '{"config":{"Cmd":null,"Env":["A=1"]},"history":null,"rootfs":{"type":"layers","diff_ids":null}}';
    const { config } = await engineImages.put(Buffer.from(text), []);
    expect(config).toEqual({
      architecture: '',
      os: 'linux',
      config: { Env: ['A=1'] },
      rootfs: { type: 'layers', diff_ids: [] },
    });
  });
});

describe('images as the builder sees them', () => {
  it('gives the chain of the whole image', async () => {
    const { buildImages } = openImageStore(await dataFolder(), clock);
    const layers = [sha256('a'), sha256('b')];
    const id = await buildImages.put(configOf('x', layers), [NAME]);
    expect(await buildImages.find(NAME)).toEqual({ id, config: configOf('x', layers), chain: chainIds(layers)[1] });
    expect(await buildImages.find(id)).toMatchObject({ id });
    expect(await buildImages.find(OTHER)).toBeUndefined();
    expect(await buildImages.names()).toEqual([NAME]);
  });

  it('makes one id of equal configs, however their keys are ordered', async () => {
    const { buildImages } = openImageStore(await dataFolder(), clock);
    const config = configOf('x');
    const turned = Object.fromEntries(Object.entries(config).reverse()) as unknown as ImageConfig;
    expect(await buildImages.put(turned, [])).toBe(await buildImages.put(config, []));
  });
});
