import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/oci/index.ts';
import { openRegistries, parseLocation, registryFilesOf } from '../../../src/registry-client/index.ts';

describe('parseLocation', () => {
  it.each([
    ['oci:dir', { kind: 'oci', path: 'dir' }],
    ['oci:/a/b:1.2', { kind: 'oci', path: '/a/b', tag: '1.2' }],
    ['oci:dir:docker.io/x/y:1', { kind: 'oci', path: 'dir', tag: 'docker.io/x/y:1' }],
    [`oci:dir@${sha256('')}`, { kind: 'oci', path: 'dir', digest: sha256('') }],
    ['oci-archive:a.tar', { kind: 'oci-archive', path: 'a.tar' }],
    ['docker-archive:a.tar:app:1', { kind: 'docker-archive', path: 'a.tar', tag: 'app:1' }],
    ['localhost:5000/a', { kind: 'registry', reference: { registry: 'localhost:5000', repository: 'a' } }],
    ['docker://ghcr.io/a/b', { kind: 'registry', reference: { registry: 'ghcr.io', repository: 'a/b' } }],
  ])('%s', (text, location) => {
    expect(parseLocation(text)).toEqual(location);
  });

  it('refuses a place without a path', () => {
    expect(() => parseLocation('oci:')).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });
});

describe('registryFilesOf', () => {
  it('has the usual places, and those that variables name', () => {
    expect(registryFilesOf({})).toEqual({
      registriesFile: '/etc/berth/registries.json',
      certificateFolders: ['/etc/berth/certs.d', '/etc/docker/certs.d'],
    });
    expect(registryFilesOf({ BERTH_REGISTRIES: '/a.json', BERTH_CERTS_D: '/c/' })).toEqual({
      registriesFile: '/a.json',
      certificateFolders: ['/c'],
    });
  });

  it.each(['BERTH_REGISTRIES', 'BERTH_CERTS_D'])('refuses a relative %s by its name', (name) => {
    expect(() => registryFilesOf({ [name]: 'a' })).toThrow(name);
  });
});

describe('openRegistries', () => {
  it('needs no configuration', () => {
    const files = { registriesFile: '/nonexistent/registries.json', certificateFolders: [] };
    openRegistries({ files, userAgent: 'test', now: () => 0, insecure: ['ghcr.io'] }).close();
  });
});
