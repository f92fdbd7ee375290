import { beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/index.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';

const never = new AbortController().signal;

let machine: FakeMachine;
let engine: Engine;

/** Three containers, a minute apart: `old` has exited with 3, `web` runs, `new` was never started. */
beforeEach(async () => {
  machine = new FakeMachine();
  machine.images.add('child:1', { Cmd: ['x'] }, ['base', 'more']);
  engine = await machine.engine();
  const old = await engine.containers.create('old', { Image: 'box', Labels: { a: '1' } });
  await engine.containers.start(old.Id);
  machine.runtime.of(old.Id).end(3);
  await (await engine.containers.wait(old.Id, 'not-running', never)).result;
  machine.clock.ms += 60_000;
  const web = await engine.containers.create('web', {
    Image: 'child:1',
    Labels: { a: '2', b: '' },
    Cmd: ['sh', '-c', 'sleep 1'],
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { NetworkMode: 'none', Binds: ['/tmp:/data'] },
  });
  await engine.containers.start(web.Id);
  machine.clock.ms += 60_000;
  await engine.containers.create('new', { Image: 'box' });
});

const list = (options: object = {}) =>
  engine.containers.list({ all: false, size: false, filters: new Map(), ...options });
const names = async (options: object = {}) => (await list(options)).map(({ Names }) => Names[0]);

describe('list', () => {
  it('shows what runs; all, and the newest some, when asked', async () => {
    expect(await names()).toEqual(['/web']);
    expect(await names({ all: true })).toEqual(['/new', '/web', '/old']);
    expect(await names({ limit: 1 })).toEqual(['/new']);
  });

  it('tells what a table needs', async () => {
    const [fresh, web, old] = await list({ all: true, size: true });
    expect(web).toMatchObject({
      Image: 'child:1',
      Command: "sh -c 'sleep 1'",
      State: 'running',
      Status: 'Up About a minute',
      HostConfig: { NetworkMode: 'none' },
      SizeRw: 5,
      SizeRootFs: 205,
    });
    expect(fresh?.Status).toBe('Created');
    expect(old?.Status).toBe('Exited (3) About a minute ago');
  });

  it('shows an image whose name has moved on by its id', async () => {
    machine.images.add('box:latest', { Cmd: ['other'] });
    const [fresh] = await list({ all: true });
    expect(fresh?.Image).toBe(fresh?.ImageID);
  });

  it.each([
    ['name', ['^/?w'], ['/web']],
    ['name', ['e'], ['/new', '/web']],
    ['label', ['a'], ['/web', '/old']],
    ['label', ['a', 'b'], ['/web']],
    ['label', ['a=1'], ['/old']],
    ['status', ['exited', 'created'], ['/new', '/old']],
    ['exited', ['3'], ['/old']],
    ['exited', ['0'], []],
    ['health', ['none'], ['/new', '/web', '/old']],
    ['health', ['healthy'], []],
    ['is-task', ['true'], []],
    ['before', ['web'], ['/old']],
    ['since', ['old'], ['/new', '/web']],
    ['ancestor', ['box'], ['/new', '/web', '/old']],
    ['ancestor', ['child:1'], ['/web']],
    ['ancestor', ['nope'], []],
    ['network', ['bridge'], ['/new', '/old']],
    ['network', ['host'], []],
    ['volume', ['/data'], ['/web']],
    ['expose', ['79-81'], ['/web']],
    ['publish', ['80'], []],
  ])('filter %s=%s', async (key, values, expected) => {
    expect(await names({ all: true, filters: new Map([[key, values]]) })).toEqual(expected);
  });

  it('by id', async () => {
    const [web] = await list();
    expect(await names({ filters: new Map([['id', [web!.Id.slice(0, 12)]]]) })).toEqual(['/web']);
  });

  it('by status needs no other word to show what does not run', async () => {
    expect(await names({ filters: new Map([['status', ['exited']]]) })).toEqual(['/old']);
  });

  it.each([
    ['colour', 'red', "invalid filter 'colour'"],
    ['status', 'asleep', "invalid filter 'status=asleep'"],
    ['exited', 'x', "invalid filter 'exited=x'"],
    ['expose', '99999', 'invalid port: 99999'],
    ['before', 'nope', 'No such container: nope'],
  ])('refuses %s=%s', async (key, value, message) => {
    await expect(list({ filters: new Map([[key, [value]]]) })).rejects.toThrow(message);
  });
});

describe('export, commit and top', () => {
  it('exports a container that does not run, and unmounts it again', async () => {
    const { Id } = await engine.containers.inspect('old', { size: false });
    const chunks: string[] = [];
    for await (const chunk of await engine.containers.exportTar('old')) chunks.push(Buffer.from(chunk).toString());
    expect(chunks.join('')).toBe(`tree of ${Id}`);
    expect(machine.snapshots.mounted).not.toContain(Id);
  });

  it('does not unmount one that runs', async () => {
    const { Id } = await engine.containers.inspect('web', { size: false });
    for await (const _ of await engine.containers.exportTar('web'));
    expect(machine.snapshots.mounted).toContain(Id);
  });

  it('commits its changes on its image, with what create set', async () => {
    const { Id } = await engine.containers.commit('web', { repo: 'snap', tag: '1', changes: [], pause: false });
    const image = await machine.images.find('docker.io/library/snap:1');
    expect(image).toMatchObject({
      id: Id,
      config: { config: { Cmd: ['sh', '-c', 'sleep 1'], Labels: { a: '2' }, ExposedPorts: { '80/tcp': {} } } },
    });
    expect(image?.config.rootfs.diff_ids).toHaveLength(3);
  });

  it('cannot tell the processes of what does not run', async () => {
    await expect(engine.containers.top('old', '-ef')).rejects.toMatchObject({ kind: 'conflict' });
    await expect(engine.containers.top('web', '-ef')).rejects.toMatchObject({ kind: 'unsupported' });
  });

  it('keeps an image from removal while a container stands on it', async () => {
    await expect(engine.images.remove('child:1', { force: false, prune: true })).rejects.toMatchObject({
      kind: 'conflict',
    });
  });
});
