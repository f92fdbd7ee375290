import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalName,
  familiarName,
  parseReference,
  parseRegistry,
  parseRepository,
  type Reference,
  sha256,
} from '../../../src/oci/index.ts';

const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?$/);
const host = fc.oneof(
  fc.constantFrom('docker.io', 'localhost', '[::1]', '[2001:db8::1]:5000', 'LOCAL:80', '127.0.0.1:65535'),
  fc.tuple(component, fc.integer({ min: 0, max: 65_535 })).map(([name, port]) => `${name.replace('_', '')}.io:${port}`),
);
const reference: fc.Arbitrary<Reference> = fc
  .record({
    registry: host,
    path: fc.array(component, { minLength: 2, maxLength: 4 }),
    tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(fc.string().map(sha256), { nil: undefined }),
  })
  .map(({ registry, path, tag, digest }) => ({
    registry,
    repository: path.join('/'),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }));

describe('references', () => {
  it('read back as they were, in the long and in the short form', () => {
    fc.assert(
      fc.property(reference, (one) => {
        expect(parseReference(canonicalName(one))).toEqual(one);
        expect(parseReference(familiarName(one))).toEqual(one);
      }),
    );
  });

  it('fail with a BerthError or not at all, whatever the text is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseReference(text);
        } catch (error) {
          expect(error).toMatchObject({ name: 'BerthError', kind: 'invalid' });
        }
      }),
    );
  });

  it.each(['::1/x', '[::1/x', '[fe80::1%25eth0]:5/x', 'localhost:/x', 'localhost:99999/x', '[::1]:5000/X'])(
    'refuse %s',
    (text) => {
      expect(() => parseReference(text)).toThrow(expect.objectContaining({ kind: 'invalid' }));
    },
  );

  it('keep the registry in the hint for a name with capitals', () => {
    expect(() => parseReference('[::1]:5000/X:T')).toThrow(expect.objectContaining({ hint: 'write [::1]:5000/x:T' }));
  });
});

describe('parseRegistry and parseRepository', () => {
  it.each([
    ['localhost:5000', 'localhost:5000'],
    ['https://ghcr.io/', 'ghcr.io'],
    ['index.docker.io', 'docker.io'],
    ['[::1]:5000', '[::1]:5000'],
  ])('%s is %s', (text, registry) => {
    expect(parseRegistry(text)).toBe(registry);
  });

  it.each(['', 'a/b', 'host:99999', 'a b'])('refuse %j as a registry', (text) => {
    expect(() => parseRegistry(text)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  it('take a name without tag and digest only', () => {
    expect(parseRepository('busybox')).toEqual({ registry: 'docker.io', repository: 'library/busybox' });
    expect(() => parseRepository('busybox:1')).toThrow(expect.objectContaining({ hint: 'write busybox' }));
  });
});
