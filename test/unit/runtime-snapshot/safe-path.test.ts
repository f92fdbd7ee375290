import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TarEntry } from '../../../src/archive/index.ts';
import { safePath } from '../../../src/runtime/snapshot/safe-path.ts';

const entry: TarEntry = { name: 'asked', type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };

describe('safePath', () => {
  it.each([
    ['a/b', 'a/b'],
    ['./a//b/', 'a/b'],
    ['/etc/passwd', 'etc/passwd'],
    ['.', ''],
    ['', ''],
    ['a\\b', 'a\\b'],
    ['..a/b..', '..a/b..'],
  ])('%s is %s', (name, path) => {
    expect(safePath(name, entry)).toEqual({ path, whiteout: { kind: 'none' } });
  });

  it.each(['..', 'a/..', '../a', 'a/../b', '/..'])('refuses %s by the name of the entry', (name) => {
    expect(() => safePath(name, entry)).toThrow('layer entry "asked"');
  });

  it('knows whiteouts and ignores what AUFS left', () => {
    expect(safePath('a/.wh.b', entry)).toEqual({ path: 'a/.wh.b', whiteout: { kind: 'deleted', name: 'b' } });
    expect(safePath('a/.wh..wh..opq', entry).whiteout).toEqual({ kind: 'opaque' });
    expect(safePath('.wh..wh.plnk/12.34', entry).whiteout).toEqual({ kind: 'metadata' });
  });

  it('never gives a path that can leave the layer', () => {
    const component = fc.oneof(fc.constantFrom('.', '..', '', '.wh.', '.wh...', '/'), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(component, { maxLength: 6 }), (components) => {
        let path: string;
        try {
          ({ path } = safePath(components.join('/'), entry));
        } catch {
          return;
        }
        expect(path.startsWith('/')).toBe(false);
        for (const part of path.split('/')) expect(['.', '..']).not.toContain(part);
      }),
    );
  });
});
