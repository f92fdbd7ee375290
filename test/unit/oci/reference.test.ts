import { describe, expect, it } from 'vitest';
import { BerthError } from '../../../src/errors/index.ts';
import { canonicalName, familiarName, parseReference, withDefaultTag } from '../../../src/oci/index.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx', 'nginx'],
    ['user/app:1', 'docker.io/user/app:1', 'user/app:1'],
    ['docker.io/library/nginx:1.2', 'docker.io/library/nginx:1.2', 'nginx:1.2'],
    ['index.docker.io/nginx', 'docker.io/library/nginx', 'nginx'],
    ['localhost/x', 'localhost/x', 'localhost/x'],
    ['localhost:5000/x:y', 'localhost:5000/x:y', 'localhost:5000/x:y'],
    ['gcr.io/a/b', 'gcr.io/a/b', 'gcr.io/a/b'],
    ['[::1]:5000/x', '[::1]:5000/x', '[::1]:5000/x'],
    [`gcr.io/a/b@${digest}`, `gcr.io/a/b@${digest}`, `gcr.io/a/b@${digest}`],
    [`busybox:1@${digest}`, `docker.io/library/busybox:1@${digest}`, `busybox:1@${digest}`],
    ['a_b/c.d-e__f', 'docker.io/a_b/c.d-e__f', 'a_b/c.d-e__f'],
  ])('%s is %s', (text, canonical, familiar) => {
    const reference = parseReference(text);
    expect(canonicalName(reference)).toBe(canonical);
    expect(familiarName(reference)).toBe(familiar);
  });

  it.each([
    '',
    'A',
    'user/App',
    'a:',
    'a:b c',
    'a@sha256:12',
    '/a',
    'a//b',
    '-a',
    'a_',
    'a:tag@',
    'f'.repeat(64),
    `${'a'.repeat(64)}`,
    `a/${'b'.repeat(260)}`,
  ])('refuses %j with kind invalid', (text) => {
    expect(() => parseReference(text)).toThrow(BerthError);
  });

  it('adds latest only when neither tag nor digest is there', () => {
    expect(withDefaultTag(parseReference('x')).tag).toBe('latest');
    expect(withDefaultTag(parseReference('x:1')).tag).toBe('1');
    expect(withDefaultTag(parseReference(`x@${digest}`)).tag).toBeUndefined();
  });

  it('says how to write a name with capitals', () => {
    expect(() => parseReference('user/App')).toThrow(expect.objectContaining({ hint: 'write user/app' }));
  });
});
