import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { commitImage } from '../../../src/engine/images/index.ts';
import { type ImageConfig, sha256 } from '../../../src/oci/index.ts';
import { imagesEngine, messages, stream, tarOf } from './engine.ts';

const root = tarOf([{ name: 'bin/sh', content: 'shell' }]);
const query = { changes: [] as readonly string[], signal: new AbortController().signal };

describe('import', () => {
  it.each([
    ['plain', root],
    ['gzip', gzipSync(root)],
  ])('makes an image of one layer from a %s tar', async (_how, tar) => {
    const engine = await imagesEngine();
    const said = await messages(engine.api.import(stream(tar), { ...query, repo: 'base', tag: 'v1' }));
    const image = await engine.ports.images.find('docker.io/library/base:v1');
    expect(said).toEqual([{ status: image?.id }]);
    expect(image?.config).toEqual({
      architecture: 'amd64',
      os: 'linux',
      created: '2026-01-02T03:04:05Z',
      config: {},
      rootfs: { type: 'layers', diff_ids: [sha256(root)] },
      history: [{ created: '2026-01-02T03:04:05Z', comment: 'Imported from -' }],
    });
    expect(engine.events.map(({ Action, Actor }) => [Action, Actor.Attributes['name']])).toEqual([
      ['import', 'base:v1'],
    ]);
  });

  it('takes message, platform and changes', async () => {
    const engine = await imagesEngine();
    const changes = ['CMD ["sh", "-c", "x"]', 'ENV A=1 B="two words"', 'ENV C=$A', 'EXPOSE 80 53/udp 8000-8001'];
    const more = ['LABEL k="v v"', 'USER $A', 'WORKDIR /srv', 'WORKDIR app', 'VOLUME /data', 'STOPSIGNAL SIGINT'];
    const imported = engine.api.import(stream(root), {
      ...query,
      message: 'mine',
      platform: 'linux/arm64/v8',
      changes: [...changes, ...more, 'ONBUILD RUN true'],
    });
    const [{ status }] = (await messages(imported)) as [{ status: string }];
    const image = await engine.ports.images.get(status as never);
    expect(image?.config).toMatchObject({
      architecture: 'arm64',
      variant: 'v8',
      history: [{ comment: 'mine' }],
      config: {
        Cmd: ['sh', '-c', 'x'],
        Env: ['A=1', 'B=two words', 'C=1'],
        ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {} },
        Labels: { k: 'v v' },
        User: '1',
        WorkingDir: '/srv/app',
        Volumes: { '/data': {} },
        StopSignal: 'SIGINT',
        OnBuild: ['RUN true'],
      },
    });
    expect(image?.names).toEqual([]);
  });

  it.each([
    [{ changes: ['RUN true'] }, /RUN is not a valid change command/],
    [{ changes: ['FROM x'] }, /FROM is not a valid change command/],
    [{ changes: ['NONSENSE'] }, /invalid change/],
    [{ changes: ['EXPOSE 99999'] }, /invalid port/],
    [{ changes: [''] }, /invalid change/],
    [{ repo: 'UPPER' }, /lowercase/],
    [{ platform: '///' }, /platform/],
  ])('refuses %j before it reads the tar', async (wrong, message) => {
    const engine = await imagesEngine();
    let read = false;
    async function* tar() {
      read = true;
      yield root;
    }
    await expect(messages(engine.api.import(tar(), { ...query, ...wrong }))).rejects.toThrow(message);
    expect(read).toBe(false);
  });

  it('leaves nothing of a tar that is refused', async () => {
    const engine = await imagesEngine();
    const hostile = tarOf([{ name: '../x', content: 'x' }]);
    await expect(messages(engine.api.import(stream(hostile), query))).rejects.toMatchObject({ name: 'BerthError' });
    expect(engine.snapshots.layers.size).toBe(0);
    expect(await engine.ports.images.list()).toEqual([]);
  });
});

describe('commit', () => {
  const baseConfig: ImageConfig = {
    architecture: 'amd64',
    os: 'linux',
    author: 'base author',
    config: { Cmd: ['base'] },
    rootfs: { type: 'layers', diff_ids: [sha256('base')] },
    history: [{ created_by: 'ADD base' }],
  };
  const layer = { chainId: sha256('chain') as never, diffId: sha256('new'), sizeBytes: 1 };
  const clock = { now: () => Date.UTC(2026, 0, 1) };
  const commit = (request: object) =>
    JSON.parse(
      Buffer.from(
        commitImage(
          { clock },
          { baseConfig, containerConfig: { Cmd: ['sh', '-c', 'x'] }, layer, changes: [], ...request },
        ),
      ).toString(),
    );

  it('puts one layer and one step on top', () => {
    expect(commit({ author: 'me', comment: 'why' })).toEqual({
      architecture: 'amd64',
      os: 'linux',
      author: 'me',
      created: '2026-01-01T00:00:00Z',
      config: { Cmd: ['sh', '-c', 'x'] },
      rootfs: { type: 'layers', diff_ids: [sha256('base'), sha256('new')] },
      history: [
        { created_by: 'ADD base' },
        { created: '2026-01-01T00:00:00Z', created_by: 'sh -c x', author: 'me', comment: 'why' },
      ],
    });
    expect(commit({}).author).toBe('base author');
  });

  it('lets an ENTRYPOINT change drop the CMD that was, but not the one of another change', () => {
    const entrypoint = 'ENTRYPOINT ["/run"]';
    expect(commit({ changes: [entrypoint] }).config).toEqual({ Entrypoint: ['/run'] });
    for (const changes of [
      [entrypoint, 'CMD a'],
      ['CMD a', entrypoint],
    ]) {
      expect(commit({ changes }).config).toEqual({ Entrypoint: ['/run'], Cmd: ['/bin/sh', '-c', 'a'] });
    }
  });

  it('is deterministic', () => {
    expect(commit({ created: '2026-02-02T00:00:00Z' })).toEqual(commit({ created: '2026-02-02T00:00:00Z' }));
  });
});
