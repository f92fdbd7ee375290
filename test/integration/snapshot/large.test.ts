import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeHeader } from '../../../src/archive/index.ts';
import { openLayerStore } from '../../../src/runtime/snapshot/index.ts';
import { command } from '../../support/host.ts';

const program = fileURLToPath(new URL('./large-tar.ts', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync('/tmp/berth-large-');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a large layer', () => {
  it('of 400 MiB is unpacked in less than 150 MiB of memory', async () => {
    const { code, stdout, stderr } = await command(process.execPath, [program, folder, '400']);
    expect([code, stderr]).toEqual([0, '']);
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(150);
  });

  it('that the disk has no room for is refused before its content comes, with what to do', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
    try {
      const store = await openLayerStore({ dataFolder: folder });
      expect(Number.isInteger(store.freeBytes())).toBe(true);
      const tar = async function* () {
        const entry = { name: 'big', type: 'file', size: 1 << 30, mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
        yield encodeHeader(entry);
      };
      await expect(store.apply(null, tar())).rejects.toMatchObject({
        kind: 'exhausted',
        message: `no space left on the disk that holds Berth's data: "big" does not fit`,
        hint: 'free space there, or set BERTH_ROOT to a folder on a larger disk',
      });
      expect(readdirSync(join(folder, 'layers'))).toEqual([]);
    } finally {
      execFileSync('umount', ['-l', folder]);
    }
  });
});
