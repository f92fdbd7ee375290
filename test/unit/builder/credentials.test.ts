import { describe, expect, it } from 'vitest';
import { gitAuthorization, webAuthorization } from '../../../src/builder/index.ts';

const secrets = (entries: Readonly<Record<string, string>>) =>
  new Map(Object.entries(entries).map(([id, value]) => [id, Buffer.from(value)]));

describe('secrets for servers', () => {
  it('are for one web host', () => {
    const given = secrets({ HTTP_AUTH_TOKEN_a: 't\n', HTTP_AUTH_HEADER_b: 'Basic eDp5', HTTP_AUTH_TOKEN_b: 'u' });
    expect(webAuthorization(given, 'a')).toBe('Bearer t');
    expect(webAuthorization(given, 'b')).toBe('Basic eDp5');
    expect(webAuthorization(given, 'c')).toBeUndefined();
  });

  it('are for git, the one with the name of the host first', () => {
    const basic = (token: string) => `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
    const given = secrets({ GIT_AUTH_TOKEN: 'any', 'GIT_AUTH_TOKEN.h:8443': 'own', 'GIT_AUTH_HEADER.x': 'Digest z' });
    expect(gitAuthorization(given, 'https://h:8443/a.git')).toBe(basic('own'));
    expect(gitAuthorization(given, 'https://other/a.git')).toBe(basic('any'));
    expect(gitAuthorization(given, 'https://x/a.git')).toBe('Digest z');
    expect(gitAuthorization(new Map(), 'git@h:a')).toBeUndefined();
  });

  it('are never two headers', () => {
    expect(webAuthorization(secrets({ HTTP_AUTH_HEADER_a: 'x\r\nHost: b' }), 'a')).toBeUndefined();
  });
});
