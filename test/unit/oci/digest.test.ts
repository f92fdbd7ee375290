import { describe, expect, it } from 'vitest';
import { canonicalJson, chainIds, type DiffId, parseDigest, sha256 } from '../../../src/oci/index.ts';

describe('digests', () => {
  it('gives the well-known digest of nothing', () => {
    expect(sha256('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it.each(['', 'sha256:', `sha256:${'A'.repeat(64)}`, `md5:${'a'.repeat(32)}`, `sha256:${'a'.repeat(63)}`])(
    'refuses %j',
    (text) => {
      expect(() => parseDigest(text)).toThrow('not a digest');
    },
  );

  it('chains diff ids as the image spec says', () => {
    const [a, b] = [sha256('a') as DiffId, sha256('b') as DiffId];
    expect(chainIds([a, b])).toEqual([a, sha256(`${a} ${b}`)]);
  });

  it('has one JSON text per value, whatever the order of keys', () => {
    expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2,"d":1}]}');
  });
});
