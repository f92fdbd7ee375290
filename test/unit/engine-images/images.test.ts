import { describe, expect, it } from 'vitest';
import { chainIds, hexOf } from '../../../src/oci/index.ts';
import { addImage, imagesEngine } from './engine.ts';

const APP = 'docker.io/library/app:1';
const APP2 = 'docker.io/library/app:2';
const OTHER = 'ghcr.io/me/other:latest';
const noFilters = { all: false, filters: new Map() };
const gently = { force: false, prune: true };
const byForce = { force: true, prune: true };

describe('finding an image', () => {
  it('takes names in any form, ids, and prefixes of ids', async () => {
    const engine = await imagesEngine();
    const { id } = await addImage(engine, [APP, 'docker.io/library/app:latest'], ['a']);
    for (const ref of [
      'app',
      'app:1',
      'library/app',
      'docker.io/library/app:1',
      id,
      hexOf(id),
      hexOf(id).slice(0, 2),
      id.slice(0, 12),
    ]) {
      expect((await engine.api.inspect(ref)).Id).toBe(id);
    }
  });

  it('says what it looked for', async () => {
    const { api } = await imagesEngine();
    await expect(api.inspect('nothing')).rejects.toMatchObject({
      kind: 'not-found',
      message: 'No such image: nothing:latest',
    });
    await expect(api.inspect('x.io/a/b:2')).rejects.toThrow('No such image: x.io/a/b:2');
    await expect(api.inspect(`sha256:${'0'.repeat(64)}`)).rejects.toThrow(`No such image: sha256:${'0'.repeat(64)}`);
    await expect(api.inspect('sha256:0123')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(api.inspect('UPPER')).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('refuses a prefix of several ids', async () => {
    const engine = await imagesEngine();
    const first = new Map<string, number>();
    for (let count = 0; count < 17; count++) {
      const { id } = await addImage(engine, [], [String(count)]);
      first.set(hexOf(id).slice(0, 1), (first.get(hexOf(id).slice(0, 1)) ?? 0) + 1);
    }
    const [shared] = [...first].find(([, count]) => count > 1) ?? [''];
    await expect(engine.api.inspect(`sha256:${shared}`)).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('list', () => {
  it('shows short names and sizes, newest first', async () => {
    const engine = await imagesEngine();
    const old = await addImage(engine, [APP, APP2], ['12345', '678'], { created: '2025-01-01T00:00:00Z' });
    const fresh = await addImage(engine, [], ['12345'], {
      created: '2026-01-01T00:00:00.5Z',
      config: { Labels: { a: 'b' } },
    });
    expect(await engine.api.list(noFilters)).toEqual([
      {
        Id: fresh.id,
        ParentId: '',
        RepoTags: [],
        RepoDigests: [],
        Created: 1767225600,
        Size: 5,
        SharedSize: -1,
        Labels: { a: 'b' },
        Containers: -1,
      },
      expect.objectContaining({ Id: old.id, RepoTags: ['app:1', 'app:2'], Size: 8, Labels: null }),
    ]);
  });

  it.each([
    [{ dangling: ['true'] }, ['new']],
    [{ dangling: ['false'] }, ['old', 'middle']],
    [{ label: ['stage'] }, ['old', 'new']],
    [{ label: ['stage=1'] }, ['old']],
    [{ label: ['stage', 'x'] }, []],
    [{ 'label!': ['stage'] }, ['middle']],
    [{ before: ['app:1'] }, ['old']],
    [{ since: ['app:1'] }, ['new']],
    [{ until: ['2025-06-01T00:00:00Z'] }, ['old']],
    [{ reference: ['app'] }, ['middle']],
    [{ reference: ['ap?:*'] }, ['middle']],
    [{ reference: ['*'] }, ['middle']],
    [{ reference: ['ghcr.io/*/oth[a-f]r'] }, ['old']],
    [{ reference: ['none', 'ghcr.io/me/*:latest'] }, ['old']],
  ])('filters by %j', async (filters, expected) => {
    const engine = await imagesEngine();
    const image = (names: string[], which: string, year: number, labels: object) =>
      addImage(engine, names, [which], {
        created: `${year}-01-01T00:00:00Z`,
        config: { Labels: { which, ...labels } },
      });
    await image([OTHER], 'old', 2024, { stage: '1' });
    await image([APP], 'middle', 2026, {});
    await image([], 'new', 2027, { stage: '2' });
    const listed = await engine.api.list({ all: false, filters: new Map(Object.entries(filters)) });
    expect(listed.map(({ Labels }) => Labels?.['which']).toSorted()).toEqual(expected.toSorted());
  });

  it('hides the names that a reference filter does not match', async () => {
    const engine = await imagesEngine();
    await addImage(engine, [APP, OTHER], ['a']);
    const [image] = await engine.api.list({ all: false, filters: new Map([['reference', ['app']]]) });
    expect(image?.RepoTags).toEqual(['app:1']);
  });

  it.each([
    [{ nonsense: ['x'] }, "invalid filter 'nonsense'"],
    [{ dangling: ['perhaps'] }, "invalid filter 'dangling=[perhaps]'"],
    [{ constructor: ['x'] }, "invalid filter 'constructor'"],
    [{ before: ['nothing'] }, 'No such image: nothing:latest'],
    [{ reference: ['[a'] }, 'syntax error in pattern'],
  ])('refuses %j', async (filters, message) => {
    const { api } = await imagesEngine();
    await expect(api.list({ all: false, filters: new Map(Object.entries(filters)) })).rejects.toThrow(message);
  });
});

describe('inspect and history', () => {
  it('shows what the config says', async () => {
    const engine = await imagesEngine();
    const image = await addImage(engine, [APP], ['12345'], {
      author: 'me',
      created: '2026-01-01T00:00:00Z',
      variant: 'v2',
      config: { Cmd: ['sh'] },
      history: [{ comment: 'the last word' }],
    });
    expect(await engine.api.inspect('app:1')).toMatchObject({
      Id: image.id,
      RepoTags: ['app:1'],
      Comment: 'the last word',
      Created: '2026-01-01T00:00:00Z',
      Author: 'me',
      Config: { Cmd: ['sh'] },
      Architecture: 'amd64',
      Variant: 'v2',
      Os: 'linux',
      Size: 5,
      GraphDriver: { Name: 'fake' },
      RootFS: { Type: 'layers', Layers: image.config.rootfs.diff_ids },
      Metadata: { LastTagTime: '2026-01-02T03:04:05.000Z' },
    });
  });

  it('gives each step the size of its layer, newest first', async () => {
    const engine = await imagesEngine();
    const image = await addImage(engine, [APP], ['12345', '678'], {
      history: [
        { created: '2026-01-01T00:00:00Z', created_by: 'ADD', comment: 'c' },
        { created_by: 'ENV', empty_layer: true },
        { created_by: 'RUN' },
      ],
    });
    expect(await engine.api.history('app:1')).toEqual([
      { Id: image.id, Created: 0, CreatedBy: 'RUN', Tags: ['app:1'], Size: 3, Comment: '' },
      { Id: '<missing>', Created: 0, CreatedBy: 'ENV', Tags: null, Size: 0, Comment: '' },
      { Id: '<missing>', Created: 1767225600, CreatedBy: 'ADD', Tags: null, Size: 5, Comment: 'c' },
    ]);
  });

  it('shows layers that the history does not tell of', async () => {
    const engine = await imagesEngine();
    await addImage(engine, [APP], ['12345', '678']);
    expect((await engine.api.history('app:1')).map(({ Size }) => Size)).toEqual([3, 5]);
  });
});

describe('tag', () => {
  it('adds a name, latest when no tag is given', async () => {
    const engine = await imagesEngine();
    const { id } = await addImage(engine, [APP], ['a']);
    await engine.api.tag('app:1', 'localhost:5000/x/y', undefined);
    await engine.api.tag(hexOf(id).slice(0, 8), 'app', 'v2');
    expect((await engine.api.inspect(id)).RepoTags).toEqual(['app:1', 'app:v2', 'localhost:5000/x/y:latest']);
    expect(engine.events.map(({ Action, Actor }) => [Action, Actor.Attributes['name']])).toEqual([
      ['tag', 'localhost:5000/x/y:latest'],
      ['tag', 'app:v2'],
    ]);
  });

  it('refuses names that are none', async () => {
    const engine = await imagesEngine();
    await addImage(engine, [APP], ['a']);
    await expect(engine.api.tag('app:1', 'UPPER', undefined)).rejects.toMatchObject({ kind: 'invalid' });
    await expect(engine.api.tag('app:1', 'x', 'no tag')).rejects.toMatchObject({ kind: 'invalid' });
    await expect(engine.api.tag('app:1', `x@sha256:${'0'.repeat(64)}`, '')).rejects.toThrow('digest reference');
  });
});

describe('remove', () => {
  it('takes one name of several away and keeps the image', async () => {
    const engine = await imagesEngine();
    const { id } = await addImage(engine, [APP, APP2], ['a']);
    expect(await engine.api.remove('app:1', gently)).toEqual([{ Untagged: 'app:1' }]);
    expect((await engine.api.inspect(id)).RepoTags).toEqual(['app:2']);
    expect(engine.snapshots.layers.size).toBe(1);
  });

  it('deletes the image with its last name: nothing of it is left', async () => {
    const engine = await imagesEngine();
    const { id, config } = await addImage(engine, [APP], ['a', 'b']);
    const [low, high] = chainIds(config.rootfs.diff_ids);
    expect(await engine.api.remove('app:1', gently)).toEqual([
      { Untagged: 'app:1' },
      { Deleted: id },
      { Deleted: high },
      { Deleted: low },
    ]);
    expect(await engine.ports.images.list()).toEqual([]);
    expect(engine.snapshots.layers.size).toBe(0);
    expect(engine.events.map(({ Action }) => Action)).toEqual(['untag', 'delete']);
  });

  it('keeps layers that another image or a container needs', async () => {
    const engine = await imagesEngine();
    await addImage(engine, [OTHER], ['a', 'c']);
    const { config } = await addImage(engine, [APP], ['a', 'b']);
    const [, high] = chainIds(config.rootfs.diff_ids);
    engine.held.push(high!);
    await engine.api.remove('app:1', gently);
    expect(engine.snapshots.layers.size).toBe(3);
    engine.held.pop();
    expect(await engine.ports.garbage.removeUnneeded([high!])).toEqual([high]);
  });

  it('takes the digest of a repository away with its last tag', async () => {
    const engine = await imagesEngine();
    const digest = `docker.io/library/app@sha256:${'1'.repeat(64)}`;
    const { id, configBytes } = await addImage(engine, [APP], ['a']);
    await engine.ports.images.put(configBytes, [], [digest]);
    expect((await engine.api.remove('app:1', gently)).slice(0, 3)).toEqual([
      { Untagged: 'app:1' },
      { Untagged: `app@sha256:${'1'.repeat(64)}` },
      { Deleted: id },
    ]);
  });

  it('takes all names of one repository when asked by id', async () => {
    const engine = await imagesEngine();
    const { id } = await addImage(engine, [APP], ['a']);
    expect((await engine.api.remove(hexOf(id).slice(0, 6), gently)).slice(0, 2)).toEqual([
      { Untagged: 'app:1' },
      { Deleted: id },
    ]);
  });

  it('wants force for an id with several names, and then takes them all', async () => {
    const engine = await imagesEngine();
    const { id } = await addImage(engine, [APP, OTHER], ['a']);
    await expect(engine.api.remove(id, gently)).rejects.toMatchObject({
      kind: 'conflict',
      message: `conflict: unable to delete ${hexOf(id).slice(0, 12)} (must be forced) - image is referenced in multiple repositories`,
    });
    expect(await engine.api.remove(id, byForce)).toHaveLength(4);
  });

  describe('of an image that a container uses', () => {
    const container = (running: boolean) => ({ id: 'c'.repeat(64), name: '/web', running });

    it('is refused by name, for the last name only', async () => {
      const engine = await imagesEngine();
      const { id } = await addImage(engine, [APP, APP2], ['a']);
      engine.users.set(id, [container(false)]);
      await engine.api.remove('app:2', gently);
      await expect(engine.api.remove('app:1', gently)).rejects.toMatchObject({
        kind: 'conflict',
        message:
          'conflict: unable to remove repository reference "app:1" (must force) - ' +
          `container ${'c'.repeat(12)} is using its referenced image ${hexOf(id).slice(0, 12)}`,
      });
    });

    it('loses only its name by force', async () => {
      const engine = await imagesEngine();
      const { id } = await addImage(engine, [APP], ['a']);
      engine.users.set(id, [container(true)]);
      expect(await engine.api.remove('app:1', byForce)).toEqual([{ Untagged: 'app:1' }]);
      expect((await engine.api.inspect(id)).RepoTags).toEqual([]);
    });

    it('is refused by id: a stopped one can be forced, a running one cannot', async () => {
      const engine = await imagesEngine();
      const { id } = await addImage(engine, [APP], ['a']);
      const short = hexOf(id).slice(0, 12);
      engine.users.set(id, [container(false)]);
      await expect(engine.api.remove(id, gently)).rejects.toThrow(
        `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container ${'c'.repeat(12)}`,
      );
      engine.users.set(id, [container(true)]);
      await expect(engine.api.remove(id, byForce)).rejects.toThrow(
        `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ${'c'.repeat(12)}`,
      );
      engine.users.set(id, [container(false)]);
      expect(await engine.api.remove(id, byForce)).toContainEqual({ Deleted: id });
    });
  });
});
