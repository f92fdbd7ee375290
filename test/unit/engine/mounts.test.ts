import { describe, expect, it } from 'vitest';
import { parseMounts, requireSources } from '../../../src/engine/containers/mounts.ts';

describe('parseMounts', () => {
  it('reads binds and tmpfs', () => {
    const { binds, tmpfs } = parseMounts([
      { Type: 'bind', Source: '/a/../b', Target: '/x/', ReadOnly: true, BindOptions: { Propagation: 'rslave' } },
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } },
    ]);
    expect(binds[0]!.bind).toEqual({
      source: '/b',
      target: '/x',
      readonly: true,
      options: ['rslave'],
      mustExist: true,
    });
    expect(binds[0]!.mount).toMatchObject({ Type: 'bind', RW: false, Propagation: 'rslave' });
    expect(tmpfs).toEqual([{ target: '/t', options: 'size=4096,mode=700' }]);
  });

  it.each([
    [{ Type: 'volume', Source: 'v', Target: '/x' }, 'unsupported'],
    [{ Type: 'bind', Source: 'relative', Target: '/x' }, 'invalid'],
    [{ Type: 'bind', Source: '/a', Target: 'x' }, 'invalid'],
  ])('refuses %j', (mount, kind) => {
    expect(() => parseMounts([mount])).toThrow(expect.objectContaining({ kind }));
  });

  it('makes a missing source a mistake, unless it may be made', async () => {
    const bind = { source: '/no/such/folder', target: '/x', readonly: false, options: [] };
    await expect(requireSources([{ ...bind, mustExist: true }])).rejects.toMatchObject({ kind: 'invalid' });
    await expect(requireSources([bind])).resolves.toBeUndefined();
  });
});
