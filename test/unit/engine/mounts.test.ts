import { describe, expect, it } from 'vitest';
import { parseBinds } from '../../../src/engine/containers/binds.ts';
import { parseMounts } from '../../../src/engine/containers/mounts.ts';

describe('parseMounts', () => {
  it('reads binds, volumes and tmpfs', () => {
    const requests = parseMounts([
      { Type: 'bind', Source: '/a/../b', Target: '/x/', ReadOnly: true, BindOptions: { Propagation: 'rslave' } },
      {
        Type: 'volume',
        Source: 'data',
        Target: '/v',
        VolumeOptions: { Labels: { a: 'b' }, DriverConfig: { Options: { type: 'tmpfs' } }, Subpath: 'in/side' },
      },
      { Type: 'volume', Target: '/own', VolumeOptions: { NoCopy: true } },
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } },
    ]);
    expect(requests).toMatchObject([
      { type: 'bind', source: '/b', target: '/x', readonly: true, options: ['rslave'], mustExist: true },
      { type: 'volume', name: 'data', labels: { a: 'b' }, driverOptions: { type: 'tmpfs' }, subpath: 'in/side' },
      { type: 'volume', target: '/own', noCopy: true },
      { type: 'tmpfs', target: '/t', options: 'size=4096,mode=700', isListed: true },
    ]);
    expect(requests[2]).not.toHaveProperty('name');
  });

  it.each([
    [{ Type: 'bind', Source: 'relative', Target: '/x' }, 'mount path must be absolute'],
    [{ Type: 'bind', Target: '/x' }, 'field Source must not be empty'],
    [{ Type: 'bind', Source: '/a', Target: 'x' }, 'mount path must be absolute'],
    [{ Type: 'bind', Source: '/a', Target: '/' }, "destination can't be '/'"],
    [{ Type: 'tmpfs', Source: '/a', Target: '/x' }, 'field Source must not be specified'],
    [{ Type: 'tmpfs', Target: '/x', BindOptions: {} }, 'field BindOptions must not be specified'],
    [{ Type: 'volume', Target: '/x', VolumeOptions: { Subpath: 'a' } }, 'Subpath when using anonymous'],
    [{ Type: 'volume', Source: 'v', Target: '/x', VolumeOptions: { Subpath: '../a' } }, 'relative path within'],
    [{ Type: 'vlume', Target: '/x' }, 'mount type unknown'],
    [{ Target: '/x' }, 'mount type is required'],
  ])('refuses %j', (mount, message) => {
    expect(() => parseMounts([mount])).toThrow(
      expect.objectContaining({ kind: 'invalid', message: expect.stringContaining(message) }),
    );
  });
});

describe('parseBinds', () => {
  it.each([
    ['/a:/b', { type: 'bind', source: '/a', target: '/b', readonly: false, mustExist: false }],
    ['/a:/b:ro,rslave', { type: 'bind', readonly: true, options: ['rslave'], mode: 'ro,rslave' }],
    ['data:/b', { type: 'volume', name: 'data', target: '/b', noCopy: false }],
    ['data:/b:ro,nocopy', { type: 'volume', readonly: true, noCopy: true }],
    ['/b', { type: 'volume', target: '/b' }],
  ])('reads %s', (text, request) => {
    expect(parseBinds([text])).toMatchObject([request]);
  });

  it('gives volumes the driver of --volume-driver', () => {
    expect(parseBinds(['data:/b', '/a:/c'], 'nfs')).toMatchObject([{ driver: 'nfs' }, { type: 'bind' }]);
  });
});
