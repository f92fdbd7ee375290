import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { btrfsDisk, type Disk } from '../support/btrfs-disk.ts';
import { Host } from '../support/host.ts';

const DOCKERFILE = `FROM busybox
RUN mkdir /srv && echo one >/srv/one && echo two >/srv/two
RUN rm /srv/one && echo three >/srv/three && chmod 750 /srv
COPY file /srv/
CMD ["ls", "/srv"]
`;

/** A life of images and containers, with the end of the engine in between. */
function life(driver: string, open: () => Host): void {
  let host: Host;
  beforeEach(async () => {
    host = open();
    mkdirSync(`${host.folder}/context`);
    writeFileSync(`${host.folder}/context/Dockerfile`, DOCKERFILE);
    writeFileSync(`${host.folder}/context/file`, 'text');
    await host.importBase('busybox');
  });
  afterEach(() => host?.dispose());

  it('builds, runs, commits, survives kill -9 and prunes', async () => {
    expect((await host.ok(['info', '--format', '{{.Driver}}'])).trim()).toBe(driver);
    await host.ok(['build', '-t', 'app', `${host.folder}/context`]);
    expect(await host.ok(['run', '--rm', 'app'])).toBe('file\nthree\ntwo\n');

    await host.ok(['run', '--name', 'changed', 'app', 'sh', '-c', 'rm /srv/two; echo four >/srv/four']);
    await host.ok(['commit', 'changed', 'app:changed']);
    expect(await host.ok(['run', '--rm', 'app:changed', 'ls', '/srv'])).toBe('file\nfour\nthree\n');

    await host.ok(['run', '-d', '--name', 'going', 'app', 'sh', '-c', 'echo five >/srv/five; exec sleep 1000']);
    await host.killEngine();
    expect(await host.ok(['exec', 'going', 'ls', '/srv'])).toBe('file\nfive\nthree\ntwo\n');
    expect((await host.ok(['start', '-a', 'changed'])).trim()).toBe('');
    await host.ok(['build', '-t', 'app', `${host.folder}/context`]);

    await host.ok(['rm', '-f', 'going', 'changed']);
    await host.ok(['system', 'prune', '-af']);
    for (const name of ['layers', 'roots', 'views', 'tmp']) {
      expect(readdirSync(`${host.root}/layout-v1/${name}`), name).toEqual([]);
    }
  });
}

describe('overlay2 on EROFS images', () => {
  life('overlay2', () => new Host({ env: { BERTH_LAYER_FORM: 'erofs' } }));
});

describe('vfs', () => {
  life('vfs', () => new Host({ env: { BERTH_STORAGE_DRIVER: 'vfs' } }));

  it('is told, and data begun with it is refused under another', async () => {
    const host = new Host({ env: { BERTH_STORAGE_DRIVER: 'vfs' } });
    try {
      await host.importBase('busybox');
      const status = await host.ok(['info', '--format', '{{range .DriverStatus}}{{index . 0}}={{index . 1}};{{end}}']);
      expect(status).toContain('Chosen=BERTH_STORAGE_DRIVER;');
      await host.killEngine();
      const other = await host.berth(['ps'], { env: { BERTH_STORAGE_DRIVER: 'overlay2' } });
      expect(other.code).not.toBe(0);
      expect(other.stderr).toContain('was begun with the storage driver vfs, not overlay2');
      const doctor = await host.berth(['doctor'], { env: { BERTH_STORAGE_DRIVER: 'overlay2' } });
      expect(doctor.stdout).toMatch(/missing +storage .*begun with the storage driver vfs/);
      expect(doctor.stdout).toContain('berth save');
    } finally {
      await host.dispose();
    }
  });
});

describe('btrfs', () => {
  let disk: Disk;
  beforeAll(() => {
    disk = btrfsDisk();
  });
  afterAll(() => disk?.unmount());
  life('btrfs', () => new Host({ root: `${disk.folder}/root` }));
});
