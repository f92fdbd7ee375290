import { describe, expect, it } from 'vitest';
import { bindMount, byDepth, kernelMounts, tmpfsMount } from '../../../../src/runtime/spec/mounts.ts';

const bind = (readonly: boolean, options: string[] = []) =>
  bindMount({ source: '/data', target: '/mnt', readonly, options }).options;
const tmpfs = (options: string) => tmpfsMount({ target: '/scratch', options }).options;

describe('bind mounts', () => {
  it('are recursive and private', () => {
    expect(bind(false)).toEqual(['rbind', 'rw', 'rprivate']);
  });

  it('are read-only with all that is mounted below', () => {
    expect(bind(true)).toEqual(['rbind', 'ro', 'rro', 'rprivate']);
  });

  it('take one propagation, and ignore labels', () => {
    expect(bind(false, ['z', 'rshared'])).toEqual(['rbind', 'rw', 'rshared']);
    expect(() => bind(false, ['shared', 'slave'])).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  it('refuse what they do not know', () => {
    expect(() => bind(false, ['sahred'])).toThrow(
      expect.objectContaining({ kind: 'invalid', message: 'invalid mount option "sahred" for /mnt' }),
    );
  });
});

describe('tmpfs mounts', () => {
  it('run no programs by default', () => {
    expect(tmpfs('')).toEqual(['noexec', 'nosuid', 'nodev', 'rprivate']);
  });

  it('let a later word win, and pass sizes on', () => {
    expect(tmpfs('rw,exec,size=64m,mode=1770')).toEqual([
      'nosuid',
      'nodev',
      'rw',
      'exec',
      'rprivate',
      'size=64m',
      'mode=1770',
    ]);
    expect(tmpfs('ro,rw')).toEqual(['noexec', 'nosuid', 'nodev', 'rw', 'rprivate']);
  });

  it('refuse what they do not know', () => {
    for (const option of ['colour=red', 'fast', 'exec=1', 'size']) {
      expect(() => tmpfs(option)).toThrow(expect.objectContaining({ kind: 'invalid' }));
    }
  });
});

describe('order of mounts', () => {
  it('puts a parent before what lies in it', () => {
    const order = byDepth(['/a/b/c', '/x', '/a'].map((target) => tmpfsMount({ target, options: '' })));
    expect(order.map((mount) => mount.destination)).toEqual(['/x', '/a', '/a/b/c']);
  });

  it('keeps the kernel mounts of a container read-only unless it is privileged', () => {
    const options = (privileged: boolean) =>
      kernelMounts({ shmSizeBytes: 1, shm: { kind: 'own' }, privileged, cgroup: true }).find(
        (mount) => mount.destination === '/sys',
      )?.options;
    expect(options(false)).toContain('ro');
    expect(options(true)).toContain('rw');
  });
});
