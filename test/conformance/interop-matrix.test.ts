import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/oci/index.ts';
import { command, Host } from '../support/host.ts';
import { dockerd, type Peer, podman } from '../support/peers.ts';

/**
 * Three forms of archives, four other programs, both directions. Trees of files are compared in archives.test.ts; here an
 * image counts as the same when its layers and its settings are.
 */
const FORMS = ['docker-archive', 'oci-archive', 'oci layout folder'] as const;
const PROGRAMS = ['skopeo', 'umoci', 'podman', 'docker'] as const;
type Form = (typeof FORMS)[number];
type Program = (typeof PROGRAMS)[number];
/** What a cell does, or why there is none. */
type Cell = (() => Promise<void>) | string;

// Podman makes a name of the path, and names have no capital letters.
const folder = `/tmp/berth-matrix-${process.pid}`;
const at = (name: string) => join(folder, name);
const host = new Host({ env: { DOCKER_CONFIG: at('none') } });
const SETTINGS = '{{json .RootFS.Layers}} {{json .Config.Env}} {{json .Config.Cmd}}';
let podmanPeer: Peer;
let dockerPeer: Peer;
let id: string;
let settings: string;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  [podmanPeer, dockerPeer] = [podman(), await dockerd()];
  await host.importBase('busybox');
  for (const [name, mark] of [
    ['app:1', 'one'],
    ['app:2', 'two'],
  ] as const) {
    const input = `FROM busybox\nRUN echo ${mark} > /mark\nENV MARK=${mark}\nCMD ["cat", "/mark"]\n`;
    await host.ok(['build', '-q', '-t', name, '-'], { input });
  }
  await host.ok(['save', '-o', at('saved.tar'), 'app:1']);
  await host.ok(['save', '-o', at('second.tar'), 'app:2']);
  await host.ok(['save', '-o', at('both.tar'), 'app:1', 'app:2']);
  mkdirSync(at('layout'));
  execFileSync('tar', ['-xf', at('saved.tar'), '-C', at('layout')]);
  id = (await host.ok(['inspect', '-f', '{{.Id}}', 'app:1'])).trim();
  settings = await host.ok(['inspect', '-f', SETTINGS, 'app:1']);
  for (const name of ['saved.tar', 'second.tar']) await podmanPeer.ok(['load', '-q', '-i', at(name)]);
  await dockerPeer.ok(['load', '-q', '-i', at('both.tar')]);
});
afterAll(async () => {
  await host.dispose();
  await podmanPeer?.dispose();
  await dockerPeer?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function tool(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(program, args);
  expect(code, `${program} ${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}
const skopeo = (...args: string[]) => tool('skopeo', '--insecure-policy', ...args);

async function skopeoReads(place: string): Promise<void> {
  expect(sha256(await skopeo('inspect', '--config', '--raw', place))).toBe(id);
}

async function podmanReads(place: string): Promise<void> {
  const peer = podman();
  try {
    const pulled = (await peer.ok(['pull', '-q', place])).trim();
    expect(pulled).toBe(id.slice('sha256:'.length));
  } finally {
    await peer.dispose();
  }
}

/** A Berth that has never seen the image loads it under the name it has there. */
async function berthReads(input: string | Buffer, names: readonly string[] = []): Promise<void> {
  const fresh = new Host();
  try {
    const said = await (typeof input === 'string'
      ? fresh.ok(['load', '-q', '-i', input])
      : fresh.ok(['load', '-q'], { input }));
    for (const name of names) expect(said).toContain(`Loaded image: ${name}`);
    const loaded = names[0] ?? /Loaded image(?: ID)?: (\S+)/.exec(said)?.[1] ?? '';
    expect(await fresh.ok(['inspect', '-f', SETTINGS, loaded])).toBe(settings);
    expect(await fresh.ok(['run', '--rm', loaded])).toBe('one\n');
  } finally {
    await fresh.dispose();
  }
}

const NO_FOLDERS = 'it has no way to name a folder';
const ONLY_LAYOUTS = 'it knows OCI layout folders only';

const berthWrites: Readonly<Record<Form, Readonly<Record<Program, Cell>>>> = {
  'docker-archive': {
    skopeo: () => skopeoReads(`docker-archive:${at('saved.tar')}`),
    umoci: ONLY_LAYOUTS,
    podman: () => podmanReads(`docker-archive:${at('saved.tar')}`),
    docker: async () => expect((await dockerPeer.ok(['inspect', '-f', '{{.Id}}', 'app:1'])).trim()).toBe(id),
  },
  'oci-archive': {
    skopeo: () => skopeoReads(`oci-archive:${at('saved.tar')}`),
    umoci: ONLY_LAYOUTS,
    podman: () => podmanReads(`oci-archive:${at('saved.tar')}`),
    docker: 'its classic image store reads docker-archives only',
  },
  'oci layout folder': {
    skopeo: () => skopeoReads(`oci:${at('layout')}`),
    umoci: async () => {
      await tool('umoci', 'unpack', '--image', `${at('layout')}:1`, at('bundle'));
      expect(readFileSync(at('bundle/rootfs/mark'), 'utf8')).toBe('one\n');
    },
    podman: () => podmanReads(`oci:${at('layout')}`),
    docker: NO_FOLDERS,
  },
};

const berthReadsFrom: Readonly<Record<Form, Readonly<Record<Program, Cell>>>> = {
  'docker-archive': {
    skopeo: async () => {
      await skopeo('copy', '-q', `oci:${at('layout')}`, `docker-archive:${at('s-d.tar')}:app:1`);
      await berthReads(at('s-d.tar'), ['app:1']);
    },
    umoci: ONLY_LAYOUTS,
    podman: async () => {
      await podmanPeer.ok(['save', '-q', '--format', 'docker-archive', '-o', at('p-d.tar'), 'docker.io/library/app:1']);
      await berthReads(at('p-d.tar'), ['app:1']);
    },
    docker: async () => {
      await dockerPeer.ok(['save', '-o', at('d-d.tar'), 'app:1']);
      await berthReads(at('d-d.tar'), ['app:1']);
    },
  },
  'oci-archive': {
    skopeo: async () => {
      await skopeo(
        'copy',
        '-q',
        `docker-archive:${at('saved.tar')}`,
        `oci-archive:${at('s-o.tar')}:docker.io/library/app:1`,
      );
      await berthReads(at('s-o.tar'), ['app:1']);
    },
    umoci: ONLY_LAYOUTS,
    podman: async () => {
      await podmanPeer.ok(['save', '-q', '--format', 'oci-archive', '-o', at('p-o.tar'), 'docker.io/library/app:1']);
      await berthReads(at('p-o.tar'), ['app:1']);
    },
    docker: 'its save writes one form, the docker-archive',
  },
  'oci layout folder': {
    skopeo: async () => {
      await skopeo('copy', '-q', `docker-archive:${at('saved.tar')}`, `oci:${at('s-f')}:docker.io/library/app:1`);
      await berthReads(at('s-f'), ['app:1']);
    },
    umoci: async () => {
      await skopeo('copy', '-q', `docker-archive:${at('saved.tar')}`, `oci:${at('u-f')}:one`);
      await tool('umoci', 'config', '--image', `${at('u-f')}:one`, '--author', 'umoci');
      await tool('umoci', 'gc', '--layout', at('u-f'));
      await berthReads(at('u-f'));
    },
    podman: async () => {
      await podmanPeer.ok(['save', '-q', '--format', 'oci-dir', '-o', at('p-f'), 'docker.io/library/app:1']);
      await berthReads(at('p-f'));
    },
    docker: NO_FOLDERS,
  },
};

const cells = FORMS.flatMap((form) =>
  PROGRAMS.flatMap((program) => [
    [`${form}, ${program}: Berth writes`, berthWrites[form][program]] as const,
    [`${form}, ${program}: Berth reads`, berthReadsFrom[form][program]] as const,
  ]),
);

describe('the interop matrix', () => {
  const filled = cells.flatMap(([title, cell]) => (typeof cell === 'function' ? [[title, cell] as const] : []));
  const absent = cells.flatMap(([title, cell]) => (typeof cell === 'string' ? [[title, cell] as const] : []));

  it.each(filled)('%s', async (_title, cell) => {
    await cell();
  });

  it.each(absent)('%s: no cell, %s', async (title) => {
    // The claim is put to the program itself: should it learn the form, this fails and the cell is to be filled.
    const only = at(`only-${title.length}.tar`);
    await skopeo('copy', '-q', `docker-archive:${at('saved.tar')}`, `oci-archive:${only}:app:1`);
    const attempt = () => {
      if (title.includes('umoci')) return command('umoci', ['stat', '--image', only]);
      if (title.includes('folder')) return dockerPeer.run(['load', '-i', at('layout')]);
      if (title.includes('reads')) return dockerPeer.run(['save', '--format', 'oci-archive', 'app:1']);
      return dockerPeer.run(['load', '-i', only]);
    };
    const { code } = await attempt();
    expect(code).not.toBe(0);
  });
});

describe('several images in one archive', () => {
  it('are read by podman and docker, each under its name', async () => {
    const said = await podmanPeer.ok(['load', '-q', '-i', at('both.tar')]);
    for (const name of ['app:1', 'app:2']) expect(said).toContain(`Loaded image: localhost/${name}`);
    const ids = await dockerPeer.ok(['inspect', '-f', '{{.Id}}', 'app:1', 'app:2']);
    expect(ids).toBe(await host.ok(['inspect', '-f', '{{.Id}}', 'app:1', 'app:2']));
  });

  it('are read from docker and podman', async () => {
    await dockerPeer.ok(['save', '-o', at('d-both.tar'), 'app:1', 'app:2']);
    await berthReads(at('d-both.tar'), ['app:1', 'app:2']);
    const names = ['docker.io/library/app:1', 'docker.io/library/app:2'];
    await podmanPeer.ok(['save', '-q', '-m', '--format', 'docker-archive', '-o', at('p-both.tar'), ...names]);
    await berthReads(at('p-both.tar'), ['app:1', 'app:2']);
  });
});

describe('streams', () => {
  const pipe = (script: string) =>
    command('bash', ['-o', 'pipefail', '-c', script], { env: { ...host.env, ...podmanPeer.env } });
  const berth = new URL('../../bin/berth', import.meta.url).pathname;
  const quoted = (program: string, { prefix }: Peer) => [program, ...prefix].join(' ');

  it('save goes into docker and podman without a file', async () => {
    for (const [program, peer] of [
      ['docker', dockerPeer],
      ['podman', podmanPeer],
    ] as const) {
      const { code, stderr } = await pipe(`${berth} save app:1 | ${quoted(program, peer)} load`);
      expect([code, stderr]).toEqual([0, expect.anything()]);
    }
  });

  it('load takes what docker and podman write without a file', async () => {
    for (const save of [
      `${quoted('docker', dockerPeer)} save app:2`,
      `${quoted('podman', podmanPeer)} save -q docker.io/library/app:2`,
    ]) {
      const { code, stdout, stderr } = await pipe(`${save} | ${berth} load -q`);
      expect([code, stdout], stderr).toEqual([0, expect.stringContaining('Loaded image: app:2')]);
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('and files are read compressed as a whole by %s', async (name, pack) => {
    await dockerPeer.ok(['save', '-o', at('plain.tar'), 'app:1']);
    const packed = pack(readFileSync(at('plain.tar')));
    await berthReads(packed, ['app:1']);
    writeFileSync(at(`packed.${name}`), packed);
    await berthReads(at(`packed.${name}`), ['app:1']);
  });
});
