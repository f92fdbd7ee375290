import { describe, expect, it } from 'vitest';
import type { HostConfigBody } from '../../../src/api/contract/index.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';

const all = { filters: new Map() };
const prunable = { filters: new Map([['all', ['true']]]) };

async function setUp() {
  const machine = new FakeMachine();
  const engine = await machine.engine();
  const create = async (host: HostConfigBody, more: object = {}) => {
    const { Id } = await engine.containers.create(undefined, { Image: 'box', HostConfig: host, ...more });
    return { id: Id, mounts: (await engine.containers.inspect(Id, { size: false })).Mounts };
  };
  return { machine, engine, create };
}

describe('volumes', () => {
  it('are made on first use, and kept', async () => {
    const { machine, engine, create } = await setUp();
    const { id, mounts } = await create({ Binds: ['data:/var/lib/data'] });
    expect(mounts).toEqual([
      {
        Type: 'volume',
        Name: 'data',
        Source: '/volumes/data/_data',
        Destination: '/var/lib/data',
        Driver: 'local',
        Mode: 'z',
        RW: true,
        Propagation: '',
      },
    ]);
    await engine.containers.remove(id, { force: false, volumes: true });
    expect([...machine.volumes.data.keys()]).toEqual(['data']);
  });

  it('are filled from the image when the container is made, unless nocopy', async () => {
    const { machine, create } = await setUp();
    const { id } = await create({ Binds: ['full:/etc', 'empty:/usr:nocopy'] });
    expect(Object.fromEntries(machine.volumes.data)).toEqual({ full: `/roots/${id}:/etc`, empty: '' });
    expect(machine.snapshots.mounted.has(id)).toBe(false);
  });

  it('that nobody named go with the container: by rm -v and by --rm', async () => {
    const { machine, engine, create } = await setUp();
    const kept = await create({}, { Volumes: { '/a': {} } });
    const gone = await create({ Binds: ['/b'] });
    await engine.containers.remove(kept.id, { force: false, volumes: false });
    await engine.containers.remove(gone.id, { force: false, volumes: true });
    expect([...machine.volumes.data.keys()]).toEqual([kept.mounts[0]!.Name]);
    expect(kept.mounts[0]!.Name).toMatch(/^[0-9a-f]{64}$/);
    const auto = await create({ AutoRemove: true, Binds: ['/c', 'named:/d'] });
    await engine.containers.start(auto.id);
    machine.runtime.of(auto.id).end(0);
    await (await engine.containers.wait(auto.id, 'removed', new AbortController().signal)).result.catch(
      () => undefined,
    );
    await expect.poll(() => machine.volumes.data.size).toBe(2);
    expect(machine.volumes.data.has('named')).toBe(true);
  });

  it('of the image are made unless something else is mounted there', async () => {
    const { machine, create } = await setUp();
    machine.images.add('db:latest', { Cmd: ['db'], Volumes: { '/data': {}, '/log': {} } });
    const { mounts } = await create({ Binds: ['/host:/log'] }, { Image: 'db' });
    expect(mounts.map(({ Type, Destination }) => `${Type} ${Destination}`)).toEqual(['bind /log', 'volume /data']);
  });

  it('come with --volumes-from, read-only on request; own mounts win', async () => {
    const { create } = await setUp();
    const source = await create({ Binds: ['data:/a', '/host:/b:ro'] });
    const copy = await create({ VolumesFrom: [`${source.id.slice(0, 12)}:ro`], Binds: ['other:/b'] });
    expect(copy.mounts).toMatchObject([
      { Name: 'other', Destination: '/b' },
      { Name: 'data', Destination: '/a', RW: false },
    ]);
  });

  it('cannot be removed while a container has them', async () => {
    const { engine, create } = await setUp();
    const { id } = await create({ Binds: ['data:/a'] });
    await expect(engine.volumes.remove('data', { force: true })).rejects.toMatchObject({
      kind: 'conflict',
      message: `remove data: volume is in use - [${id}]`,
    });
    await engine.containers.remove(id, { force: false, volumes: false });
    await engine.volumes.remove('data', { force: false });
    await expect(engine.volumes.remove('data', { force: false })).rejects.toMatchObject({ kind: 'not-found' });
    await engine.volumes.remove('data', { force: true });
  });

  it('are mounted while a container runs, by the first and until the last', async () => {
    const { machine, engine, create } = await setUp();
    const [one, two] = [await create({ Binds: ['data:/a'] }), await create({ Binds: ['data:/a'] })];
    await engine.containers.start(one.id);
    await engine.containers.start(two.id);
    machine.runtime.of(one.id).end(0);
    await expect.poll(async () => (await engine.containers.inspect(one.id, { size: false })).State.Running).toBe(false);
    expect(machine.volumes.mounted.has('data')).toBe(true);
    machine.runtime.of(two.id).end(0);
    await expect.poll(() => machine.volumes.mounted.has('data')).toBe(false);
  });

  it('are known to the next engine, with their users, labels and options', async () => {
    const { machine, engine, create } = await setUp();
    await engine.volumes.create({ Name: 'spare', Labels: { a: 'b' }, DriverOpts: { type: 'tmpfs', device: 'tmpfs' } });
    await create({ Binds: ['data:/a'] });
    const next = await machine.engine();
    expect((await next.volumes.list(all)).Volumes.map(({ Name }) => Name)).toEqual(['data', 'spare']);
    expect(await next.volumes.inspect('spare')).toMatchObject({ Labels: { a: 'b' }, Options: { type: 'tmpfs' } });
    expect(await next.volumes.prune(prunable)).toMatchObject({ VolumesDeleted: ['spare'] });
    await expect(next.volumes.remove('data', { force: false })).rejects.toMatchObject({ kind: 'conflict' });
  });

  it('prune takes only what nobody named, unless it is told to take all', async () => {
    const { engine, create } = await setUp();
    await engine.volumes.create({ Name: 'named' });
    const { id, mounts } = await create({ Binds: ['/own'] });
    await engine.containers.remove(id, { force: false, volumes: false });
    expect(await engine.volumes.prune(all)).toMatchObject({ VolumesDeleted: [mounts[0]!.Name] });
    expect(await engine.volumes.prune(prunable)).toMatchObject({ VolumesDeleted: ['named'] });
  });

  it.each([
    ['a/b', 'invalid'],
    ['.hidden', 'invalid'],
    ['x', 'invalid'],
  ])('refuse the name %s', async (Name, kind) => {
    const { engine } = await setUp();
    await expect(engine.volumes.create({ Name })).rejects.toMatchObject({ kind });
  });

  it('refuse another driver', async () => {
    const { engine, machine, create } = await setUp();
    await expect(engine.volumes.create({ Name: 'data', Driver: 'nfs' })).rejects.toMatchObject({ kind: 'not-found' });
    await expect(create({ Binds: ['data:/a'], VolumeDriver: 'nfs' })).rejects.toMatchObject({ kind: 'not-found' });
    expect(machine.volumes.data.size).toBe(0);
    expect(machine.snapshots.layers.size).toBe(0);
  });

  it.each([
    [new Map([['dangling', ['true']]]), ['free']],
    [new Map([['dangling', ['false']]]), ['data']],
    [new Map([['label', ['k=v']]]), ['free']],
    [new Map([['name', ['at']]]), ['data']],
    [new Map([['driver', ['nfs']]]), []],
  ])('are listed by filter %j', async (filters, names) => {
    const { engine, create } = await setUp();
    await engine.volumes.create({ Name: 'free', Labels: { k: 'v' } });
    await create({ Binds: ['data:/a'] });
    expect((await engine.volumes.list({ filters })).Volumes.map(({ Name }) => Name)).toEqual(names);
  });
});
