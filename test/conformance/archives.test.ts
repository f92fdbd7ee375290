import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command, Host } from '../support/host.ts';
import { dockerd, type Peer, podman } from '../support/peers.ts';
import { differences, type Tree, treeOfFolder, treeOfTar } from '../support/tree.ts';

/** What other engines put into each of their containers; it is not part of the image. */
const injected = [
  '.dockerenv',
  'dev/console',
  'dev/pts',
  'dev/shm',
  'dev',
  'etc/hosts',
  'etc/hostname',
  'etc/resolv.conf',
  'etc/mtab',
  'etc',
  'proc',
  'sys',
  'run',
  'run/.containerenv',
];

describe('archives that others read and write', () => {
  const host = new Host();
  const folder = mkdtempSync('/tmp/berth-interop-');
  const saved = join(folder, 'saved.tar');
  let exported: Tree;

  /** Every kind of entry: devices, FIFOs, setuid, capabilities, hard links, long names, whiteouts, an opaque folder. */
  const dockerfile = `FROM busybox
COPY files/ /files/
RUN mkdir -p /kinds/gone /kinds/opaque && cd /kinds && echo text > file && ln file hard && ln -s file soft \
 && mkfifo -m 640 pipe && mknod -m 600 null c 1 3 && mknod block b 7 1 && cp /bin/busybox suid && chmod 4755 suid \
 && chown 1000:2000 file && touch gone/a opaque/old && mkdir -m 1777 sticky \
 && touch "$(printf 'n%.0s' $(seq 1 200))" && mkdir -p "$(printf 'deep/%.0s' $(seq 1 40))" && echo ümlaut > "über name"
RUN rm -rf /kinds/gone && rm -rf /kinds/opaque && mkdir /kinds/opaque && echo new > /kinds/opaque/new && rm /bin/zcat
ENV A=1
CMD ["true"]
`;

  beforeAll(async () => {
    await host.importBase('busybox');
    mkdirSync(join(folder, 'context/files'), { recursive: true });
    writeFileSync(join(folder, 'context/files/capable'), 'x', { mode: 0o755 });
    execFileSync('setcap', ['cap_net_raw+ep', join(folder, 'context/files/capable')], {
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    });
    writeFileSync(join(folder, 'context/Dockerfile'), dockerfile);
    await host.ok(['build', '-t', 'kinds', join(folder, 'context')]);
    await host.ok(['save', '-o', saved, 'kinds']);
    exported = await exportOf('kinds');
  });
  afterAll(async () => {
    await host.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function exportOf(image: string): Promise<Tree> {
    const id = (await host.ok(['create', image])).trim();
    const tar = join(folder, 'export.tar');
    await host.ok(['export', '-o', tar, id]);
    await host.ok(['rm', id]);
    return treeOfTar(tar);
  }

  it('export shows every kind of entry', () => {
    expect(exported['kinds/file']).toMatch(/^file 644 1000:2000 5 /);
    expect(exported['kinds/hard']).toBe(exported['kinds/file']);
    expect(exported['kinds/pipe']).toBe('fifo 640 0:0');
    expect(exported['kinds/null']).toBe('char 600 0:0 1,3');
    expect(exported['kinds/suid']).toMatch(/^file 4755 /);
    expect(exported['files/capable']).toMatch(/security\.capability=/);
    expect(exported['kinds/opaque/new']).toBeDefined();
    expect(exported['kinds/opaque/old']).toBeUndefined();
    expect(exported['kinds/gone']).toBeUndefined();
    expect(exported['bin/zcat']).toBeUndefined();
  });

  it.each(['docker-archive', 'oci-archive'])('skopeo inspects and copies it as %s', async (transport) => {
    const inspected = await command('skopeo', ['inspect', '--config', `${transport}:${saved}`]);
    expect(inspected.code, inspected.stderr).toBe(0);
    expect(JSON.parse(inspected.stdout).config.Env).toContain('A=1');
    const layout = join(folder, `layout-${transport}`);
    const copied = await command('skopeo', [
      '--insecure-policy',
      'copy',
      `${transport}:${saved}`,
      `oci:${layout}:kinds`,
    ]);
    expect(copied.code, copied.stderr).toBe(0);
  });

  it('umoci unpacks the same tree', async () => {
    const layout = join(folder, 'umoci');
    await command('skopeo', ['--insecure-policy', 'copy', `oci-archive:${saved}`, `oci:${layout}:kinds`]);
    const unpacked = await command('umoci', ['unpack', '--image', `${layout}:kinds`, join(folder, 'bundle')]);
    expect(unpacked.code, unpacked.stderr).toBe(0);
    expect(differences(exported, treeOfFolder(join(folder, 'bundle/rootfs')))).toEqual([]);
  });

  describe('podman', () => {
    let peer: Peer;
    beforeAll(() => {
      peer = podman();
      return () => peer.dispose();
    });

    it('loads it and sees the same tree', async () => {
      await peer.ok(['load', '-i', saved]);
      const root = (await peer.ok(['image', 'mount', 'docker.io/library/kinds'])).trim();
      expect(differences(exported, treeOfFolder(root))).toEqual([]);
    });

    it.each(['docker-archive', 'oci-archive'])('writes a %s that Berth loads', async (format) => {
      const tar = join(folder, `podman-${format}.tar`);
      await peer.ok(['tag', 'docker.io/library/kinds', `docker.io/library/${format}:1`]);
      await peer.ok(['save', '--format', format, '-o', tar, `docker.io/library/${format}:1`]);
      expect(await host.ok(['load', '-i', tar])).toContain(`Loaded image: ${format}:1`);
      expect(differences(exported, await exportOf(`${format}:1`))).toEqual([]);
    });
  });

  describe('dockerd', () => {
    let peer: Peer;
    beforeAll(async () => {
      peer = await dockerd();
      return () => peer.dispose();
    });

    it('loads it and exports the same tree', async () => {
      expect(await peer.ok(['load', '-i', saved])).toContain('Loaded image: kinds:latest');
      const id = (await peer.ok(['create', '--network', 'none', 'kinds'])).trim();
      const tar = join(folder, 'dockerd.tar');
      await peer.ok(['export', '-o', tar, id]);
      expect(differences(exported, await treeOfTar(tar), injected)).toEqual([]);
    });

    it('keeps the image id', async () => {
      const ours = await host.ok(['inspect', '-f', '{{.Id}}', 'kinds']);
      expect(await peer.ok(['inspect', '-f', '{{.Id}}', 'kinds'])).toBe(ours);
    });

    it('writes an archive that Berth loads', async () => {
      const tar = join(folder, 'docker-save.tar');
      await peer.ok(['tag', 'kinds', 'from-docker:2']);
      await peer.ok(['save', '-o', tar, 'from-docker:2']);
      expect(await host.ok(['load', '-i', tar])).toContain('Loaded image: from-docker:2');
      expect(differences(exported, await exportOf('from-docker:2'))).toEqual([]);
    });
  });

  it('gives back what it loaded: save, load on an empty root, same id', async () => {
    const other = new Host();
    try {
      await other.ok(['load', '-i', saved]);
      expect(await other.ok(['inspect', '-f', '{{.Id}}', 'kinds'])).toBe(
        await host.ok(['inspect', '-f', '{{.Id}}', 'kinds']),
      );
    } finally {
      await other.dispose();
    }
  });
});
