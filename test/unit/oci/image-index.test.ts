import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  annotateEntry,
  createIndex,
  type Descriptor,
  encodeIndex,
  mediaTypes,
  sha256,
} from '../../../src/oci/index.ts';

const entry = (name: string, mediaType: string = mediaTypes.ociManifest): Descriptor => ({
  mediaType,
  digest: sha256(name),
  size: name.length,
  platform: { os: 'linux', architecture: 'amd64' },
});

describe('createIndex', () => {
  it("makes Docker's list of Docker's manifests, and an OCI index of all others", () => {
    const docker = entry('a', mediaTypes.dockerManifest);
    expect(createIndex([docker]).mediaType).toBe(mediaTypes.dockerList);
    expect(createIndex([docker, entry('b')]).mediaType).toBe(mediaTypes.ociIndex);
    expect(createIndex([]).mediaType).toBe(mediaTypes.ociIndex);
    expect(createIndex([docker], { format: 'oci' }).mediaType).toBe(mediaTypes.ociIndex);
  });

  it('takes the same manifest for the same platform once', () => {
    expect(createIndex([entry('a'), entry('b'), entry('a')]).manifests).toHaveLength(2);
  });

  it("refuses annotations in Docker's form, which has none", () => {
    const options = { format: 'docker', annotations: { a: 'b' } } as const;
    expect(() => createIndex([entry('a')], options)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });
});

describe('annotateEntry', () => {
  it('changes what is said, and leaves the rest', () => {
    const changed = annotateEntry(entry('a'), {
      architecture: 'arm64',
      variant: 'v8',
      osVersion: '10',
      osFeatures: ['x'],
      annotations: { k: 'v' },
    });
    expect(changed.platform).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      'os.version': '10',
      'os.features': ['x'],
    });
    expect(changed.annotations).toEqual({ k: 'v' });
    expect(annotateEntry(changed, { variant: 'v9' }).platform?.['os.version']).toBe('10');
  });

  it('refuses a pair of system and architecture that does not exist', () => {
    expect(() => annotateEntry(entry('a'), { architecture: 'foo' })).toThrow(
      'manifest entry for image has unsupported os/arch combination: linux/foo',
    );
  });
});

describe('encodeIndex', () => {
  it('gives one text for one index, which reads back as the same', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 5 });
    fc.assert(
      fc.property(names, fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (all, annotations) => {
        const index = createIndex(
          all.map((name) => entry(name)),
          { format: 'oci', annotations },
        );
        const bytes = encodeIndex(index);
        expect(JSON.parse(Buffer.from(bytes).toString('utf8'))).toEqual(JSON.parse(JSON.stringify(index)));
        expect(encodeIndex(index)).toEqual(bytes);
      }),
    );
  });
});
