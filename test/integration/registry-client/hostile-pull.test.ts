import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeHeader, endOfArchive, padding, type TarEntry } from '../../../src/archive/index.ts';
import { sha256 } from '../../../src/oci/index.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { Host } from '../../support/host.ts';

let host: Host;
let registry: FakeRegistry;

beforeAll(async () => {
  host = new Host({ env: { DOCKER_CONFIG: '/nonexistent' } });
  registry = await FakeRegistry.start();
});
afterAll(async () => {
  await host.dispose();
  await registry.close();
});

/** Whatever came: nothing of it is left, and the engine goes on. */
afterEach(async () => {
  const data = join(host.root, 'layout-v1');
  expect(readdirSync(join(data, 'downloads'))).toEqual([]);
  expect(readdirSync(join(data, 'layers'))).toEqual([]);
  expect(existsSync('/tmp/berth-evil')).toBe(false);
  expect(await host.ok(['images', '-q'])).toBe('');
});

function tar(...entries: readonly (readonly [TarEntry, string?])[]): Buffer {
  const parts = entries.flatMap(([entry, content = '']) => [
    encodeHeader(entry),
    Buffer.from(content, 'latin1'),
    padding(content.length),
  ]);
  return Buffer.concat([...parts, endOfArchive]);
}

function file(name: string, content: string): readonly [TarEntry, string] {
  return [{ type: 'file', name, size: content.length, mode: 0o644, uid: 0, gid: 0, mtime: 0 }, content];
}

async function pull(...layers: readonly Buffer[]): Promise<string> {
  registry.addImage(
    'evil',
    '1',
    layers.map((content) => ({ blob: gzipSync(content), diffId: sha256(content) })),
  );
  const { code, stderr } = await host.berth(['pull', `${registry.host}/evil:1`]);
  expect(code).toBe(1);
  expect(stderr).not.toContain('    at ');
  return stderr;
}

describe('a pull of a hostile image', () => {
  it('refuses a path that leads out, by its name', async () => {
    expect(await pull(tar(file('ok', 'x')), tar(file('../../../tmp/berth-evil', 'x')))).toContain('berth-evil');
  });

  it('case 19: refuses what expands without end', async () => {
    const content = tar(file('zeros', '\0'.repeat(200 << 20)));
    registry.addImage('evil', '4', [{ blob: zstdCompressSync(content), diffId: sha256(content) }]);
    const { code, stderr } = await host.berth(['pull', `${registry.host}/evil:4`]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('expands more than')]);
  });

  it('refuses what is no tar', async () => {
    expect(await pull(Buffer.from('nonsense'.repeat(1000)))).toMatch(/tar|header/);
  });

  it('case 16: refuses a layer that is not what the config says', async () => {
    const content = tar(file('ok', 'x'));
    registry.addImage('evil', '2', [{ blob: gzipSync(content), diffId: sha256('other') }]);
    const { code, stderr } = await host.berth(['pull', `${registry.host}/evil:2`]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('but the image says')]);
  });
});

describe('case 24: a pull onto a disk that is too small', () => {
  const random = (bytes: number) => file('big', randomBytes(bytes).toString('latin1'));

  it.each([
    ['of a layer that does not fit', [tar(file('ok', 'x')), tar(file('big', randomBytes(15 << 20).toString('hex')))]],
    ['of layers that do not fit together', [tar(file('ok', 'x')), ...[8, 8, 8].map((size) => tar(random(size << 20)))]],
  ])('%s says so, leaves nothing half, and the engine goes on', async (_what, contents) => {
    const mountPoint = mkdtempSync('/tmp/berth-small-');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', mountPoint]);
    const small = new Host({ root: mountPoint, env: { DOCKER_CONFIG: '/nonexistent' } });
    try {
      const layers = contents.map((bytes) => ({ blob: gzipSync(bytes), diffId: sha256(bytes) }));
      registry.addImage('large', '1', layers);
      const { code, stderr } = await small.berth(['pull', `${registry.host}/large:1`]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/no space left on the disk that holds Berth's data/)]);
      expect(readdirSync(join(mountPoint, 'layout-v1/downloads'))).toEqual([]);
      expect(readdirSync(join(mountPoint, 'layout-v1/layers'))).toEqual([]);
      registry.addImage('fits', '1', layers.slice(0, 1));
      await small.ok(['pull', `${registry.host}/fits:1`]);
    } finally {
      await small.dispose();
      execFileSync('umount', ['-l', mountPoint]);
      rmSync(mountPoint, { recursive: true, force: true });
    }
  });
});
