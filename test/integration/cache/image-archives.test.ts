import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredImage } from '../../../src/engine/ports.ts';
import { command } from '../../support/host.ts';
import { dockerd, type Peer, podman } from '../../support/peers.ts';
import { bytesOf, imagesEngine, lines, messages, stream } from '../../unit/engine-images/engine.ts';

/** What a layer is made of, so that every kind of entry passes through the other tools. */
const FIRST_LAYER = `
  mkdir -p etc bin sub/deep gone
  echo hello > etc/greeting; chmod 640 etc/greeting
  echo run > bin/tool; chown 12:34 bin/tool; chmod 4755 bin/tool
  ln bin/tool bin/same; ln -s ../etc/greeting sub/link
  echo x > gone/file; echo y > sub/deep/file
  mkfifo sub/pipe; mknod sub/null c 1 3
`;
const SECOND_LAYER =
  'mkdir -p etc sub; echo changed > etc/greeting; touch .wh.gone sub/.wh.deep; echo z > "sub/ä name"';

const NAME = 'docker.io/library/berth-interop:1';
const OTHER = 'localhost:5000/interop/second:v2';
const never = new AbortController().signal;

let folder: string;
let ours: Awaited<ReturnType<typeof imagesEngine>>;
let image: StoredImage;
let other: StoredImage;

const at = (name: string) => join(folder, name);

async function tool(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(program, args);
  expect(code, `${program} ${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout.trim();
}

function layerTar(script: string): Buffer {
  const make = `set -e; d=$(mktemp -d); cd "$d"\n${script}\ntar -c --sort=name --mtime=@1700000000 --numeric-owner .; rm -rf "$d"`;
  return execFileSync('sh', ['-c', make], { maxBuffer: 1 << 26 });
}

async function add(names: readonly string[], layers: readonly Buffer[], cmd: string): Promise<StoredImage> {
  const diffIds: string[] = [];
  let parent = null;
  for (const layer of layers) {
    const committed = await ours.snapshots.apply(parent, stream(layer));
    parent = committed.chainId;
    diffIds.push(committed.diffId);
  }
  const config = { Cmd: [cmd], Env: ['PATH=/bin'], Labels: { 'with "quotes"': 'ä' } };
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const history = layers.map((_layer, index) => ({ created: '2026-01-01T00:00:00Z', created_by: `step ${index}` }));
  const document = { architecture: 'amd64', os: 'linux', created: '2026-01-01T00:00:00Z', config, rootfs, history };
  return ours.ports.images.put(Buffer.from(JSON.stringify(document)), names);
}

async function loadInto(archive: string) {
  const fresh = await imagesEngine();
  const text = await lines(fresh.api.load(createReadStream(archive), never));
  return { fresh, text };
}

/** Same config bytes, same layers: the same image. */
async function expectSame(archive: string) {
  const { fresh } = await loadInto(archive);
  const loaded = await fresh.ports.images.get(image.id);
  expect(Buffer.from(loaded?.configBytes ?? [])).toEqual(Buffer.from(image.configBytes));
  expect(await fresh.temps()).toEqual([]);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-interop-'));
  ours = await imagesEngine();
  const [first, second] = [layerTar(FIRST_LAYER), layerTar(SECOND_LAYER)];
  image = await add([NAME], [first, second], 'one');
  other = await add([OTHER], [first], 'two');
  writeFileSync(at('one.tar'), await bytesOf(await ours.api.save(['berth-interop:1'])));
  writeFileSync(at('two.tar'), await bytesOf(await ours.api.save([NAME, OTHER])));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('skopeo and umoci read what save writes', () => {
  it.each([
    ['docker-archive', 'one.tar'],
    ['docker-archive', `two.tar:berth-interop:1`],
    ['oci-archive', 'one.tar'],
    ['oci-archive', 'two.tar:1'],
  ])('as %s (%s): the config byte by byte, every layer', async (transport, name) => {
    const source = `${transport}:${at(name)}`;
    expect(await tool('skopeo', 'inspect', '--config', '--raw', source)).toBe(
      Buffer.from(image.configBytes).toString(),
    );
    await rm(at('copy'), { recursive: true, force: true });
    await tool('skopeo', 'copy', '-q', source, `dir:${at('copy')}`);
    for (const diffId of image.config.rootfs.diff_ids) expect(existsSync(at(`copy/${diffId.slice(7)}`))).toBe(true);
  });

  it('umoci unpacks the layout to the tree that the layers describe', async () => {
    execFileSync('sh', ['-c', `mkdir -p layout && tar -xf one.tar -C layout`], { cwd: folder });
    await tool('umoci', 'unpack', '--image', `${at('layout')}:1`, at('bundle'));
    const root = (path: string) => at(`bundle/rootfs/${path}`);
    expect(readFileSync(root('etc/greeting'), 'utf8')).toBe('changed\n');
    expect(statSync(root('bin/tool'))).toMatchObject({ uid: 12, gid: 34, mode: 0o104755, nlink: 2 });
    expect(existsSync(root('gone'))).toBe(false);
    expect(existsSync(root('sub/deep'))).toBe(false);
    expect(statSync(root('sub/pipe')).isFIFO()).toBe(true);
    expect(existsSync(root('sub/ä name'))).toBe(true);
  });

  it.each([
    ['docker-archive', (to: string) => `docker-archive:${to}:berth-interop:1`],
    ['oci-archive', (to: string) => `oci-archive:${to}`],
  ])('load reads what skopeo copy writes as %s', async (kind, target) => {
    const path = at(`skopeo-${kind}.tar`);
    await tool('skopeo', 'copy', '-q', `oci-archive:${at('one.tar')}`, target(path));
    const { fresh, text } = await loadInto(path);
    expect(text).toMatch(kind === 'docker-archive' ? 'Loaded image: berth-interop:1\n' : /^Loaded image ID: sha256:/);
    const [loaded] = await fresh.ports.images.list();
    expect(loaded?.config.rootfs.diff_ids).toEqual(image.config.rootfs.diff_ids);
    expect(loaded?.config.config).toEqual(image.config.config);
  });
});

describe('podman', () => {
  let peer: Peer;
  beforeAll(() => {
    peer = podman();
  });
  afterAll(() => peer.dispose());

  it('loads what save writes, one image or several', async () => {
    await peer.ok(['load', '-i', at('one.tar')]);
    await peer.ok(['load', '-i', at('two.tar')]);
    const ids = await peer.ok(['images', '--no-trunc', '--format', '{{.ID}}']);
    expect(new Set(ids.trim().split('\n'))).toEqual(new Set([image.id, other.id]));
  });

  it.each(['docker-archive', 'oci-archive'])('writes %s that load reads', async (format) => {
    const path = at(`podman-${format}.tar`);
    await peer.ok(['save', '--format', format, '-o', path, image.id]);
    if (format === 'docker-archive') return expectSame(path);
    const [loaded] = await (await loadInto(path)).fresh.ports.images.list();
    expect(loaded?.config.rootfs.diff_ids).toEqual(image.config.rootfs.diff_ids);
  });
});

describe('docker', () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await dockerd();
  });
  afterAll(() => peer.dispose());

  it('loads what save writes, and saves what load reads: the same image', async () => {
    expect(await peer.ok(['load', '-i', at('two.tar')])).toContain('Loaded image: berth-interop:1');
    const ids = await peer.ok(['images', '-q', '--no-trunc']);
    expect(new Set(ids.trim().split('\n'))).toEqual(new Set([image.id, other.id]));
    await peer.ok(['save', '-o', at('docker.tar'), 'berth-interop:1', OTHER]);
    await expectSame(at('docker.tar'));
  });

  it('says the same about an image as we do', async () => {
    await peer.ok(['load', '-i', at('two.tar')]);
    const [theirs] = JSON.parse(await peer.ok(['inspect', 'berth-interop:1']));
    const mine = await ours.api.inspect('berth-interop:1');
    for (const field of [
      'Id',
      'RepoTags',
      'RepoDigests',
      'Parent',
      'Created',
      'Author',
      'Architecture',
      'Os',
      'RootFS',
    ]) {
      expect({ [field]: theirs[field] }).toEqual({ [field]: mine[field as keyof typeof mine] });
    }
    const history = await peer.ok(['history', '--no-trunc', '--format', '{{.ID}} {{.CreatedBy}}', 'berth-interop:1']);
    const own = (await ours.api.history('berth-interop:1')).map(({ Id, CreatedBy }) => `${Id} ${CreatedBy}`);
    expect(history.trim().split('\n')).toEqual(own);
  });

  const withoutTag = (text: string) => text.replaceAll(':latest', '');

  it('refuses in the same words', async () => {
    await peer.ok(['load', '-i', at('two.tar')]);
    for (const ref of ['nothing', 'x.io/a/b:2', `sha256:${'0'.repeat(64)}`]) {
      const { stderr } = await peer.run(['rmi', ref]);
      const error = await ours.api.remove(ref, { force: false, prune: true }).catch((thrown: Error) => thrown);
      // An older docker CLI leaves the default tag out.
      expect(withoutTag(stderr)).toContain(withoutTag((error as Error).message));
    }
    const { stderr } = await peer.run(['images', '--filter', 'nonsense=1']);
    const filters = new Map([['nonsense', ['1']]]);
    const error = await ours.api.list({ all: false, filters }).catch((thrown: Error) => thrown);
    expect(stderr.toLowerCase()).toContain('nonsense');
    expect((error as Error).message).toBe("invalid filter 'nonsense'");
  });

  it('refuses to remove an image in use in the same words, and removes the same names', async () => {
    await peer.ok(['load', '-i', at('two.tar')]);
    const { api, users } = ours;
    await peer.ok(['tag', 'berth-interop:1', 'third/name:x']);
    await api.tag('berth-interop:1', 'third/name', 'x');
    const container = (await peer.ok(['create', 'berth-interop:1'])).trim();
    users.set(image.id, [{ id: container, name: '/c', running: false }]);
    const both = async (ref: string, force: boolean) => {
      const theirs = await peer.run(['rmi', ...(force ? ['-f'] : []), ref]);
      const mine = await api.remove(ref, { force, prune: true }).catch((thrown: Error) => thrown);
      if (!(mine instanceof Error)) {
        const untagged = mine.flatMap((row) => ('Untagged' in row ? [`Untagged: ${row.Untagged}`] : []));
        expect(theirs.stdout.split('\n').filter((line) => line.startsWith('Untagged'))).toEqual(untagged);
      } else expect(theirs.stderr.trim()).toBe(`Error response from daemon: ${mine.message}`);
    };
    await both(image.id.slice(7, 19), false);
    await both('third/name:x', false);
    await both('berth-interop:1', false);
    await both(image.id.slice(7, 19), false);
    await both('berth-interop:1', true);
    await peer.ok(['rm', container]);
    users.clear();
    await both(image.id, false);
    await both(OTHER, false);
    expect(await api.list({ all: true, filters: new Map() })).toEqual([]);
  });

  it('imports a tar to the same configuration', async () => {
    writeFileSync(at('root.tar'), layerTar('echo hi > file'));
    const changes = ['CMD ["a","b"]', 'ENV A=1 B="2 3"', 'EXPOSE 80 53/udp', 'LABEL k="v v"', 'USER me', 'WORKDIR /w'];
    const more = [...changes, 'VOLUME /data', 'ONBUILD RUN true', 'ENTRYPOINT ["e"]'];
    await peer.ok(['import', ...more.flatMap((change) => ['-c', change]), at('root.tar'), 'imported']);
    const [theirs] = JSON.parse(await peer.ok(['inspect', 'imported']));
    const query = { repo: 'imported', changes: more, signal: never };
    await messages(ours.api.import(createReadStream(at('root.tar')), query));
    const mine = await ours.api.inspect('imported');
    expect(theirs.RootFS).toEqual(mine.RootFS);
    const { Cmd, Env, ExposedPorts, Labels, User, WorkingDir, Volumes, OnBuild, Entrypoint } = theirs.Config;
    expect(mine.Config).toEqual({
      Cmd,
      Env,
      ExposedPorts,
      Labels,
      User,
      WorkingDir,
      Volumes,
      OnBuild,
      Entrypoint,
    });
  });
});
