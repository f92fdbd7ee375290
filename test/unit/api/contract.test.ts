import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeContainerCreate,
  decodeExecCreate,
  decodeExecStart,
  encodeFilters,
  encodeRegistryAuth,
  kindOfStatus,
  parseFilters,
  parseRegistryAuth,
  STATUS_OF_KIND,
  splitVersion,
} from '../../../src/api/contract/index.ts';

describe('filters', () => {
  it('are read in both forms that clients send', () => {
    const filters = new Map([['label', ['a', 'b=c']]]);
    expect(parseFilters('{"label":["a","b=c"]}')).toEqual(filters);
    expect(parseFilters('{"label":{"a":true,"b=c":true}}')).toEqual(filters);
  });

  it('may be absent', () => {
    for (const nothing of [undefined, '', '{}', 'null']) expect(parseFilters(nothing).size).toBe(0);
  });

  it('refuse an unknown key and what is not a list', () => {
    expect(() => parseFilters('{"colour":["red"]}', ['label'])).toThrow("invalid filter 'colour'");
    for (const wrong of ['{', '[]', '"x"', '{"label":1}', '{"label":[1]}'])
      expect(() => parseFilters(wrong)).toThrow(/^invalid filter/);
  });

  it('survive encoding', () => {
    const values = fc.uniqueArray(
      fc.string().filter((text) => !/^\d+$/.test(text)),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), values), { selector: ([key]) => key }),
        (entries) => {
          const plain = entries.filter(([key, list]) => ![key, ...list].includes('__proto__'));
          expect(new Map(parseFilters(encodeFilters(new Map(plain))))).toEqual(new Map(plain));
        },
      ),
    );
  });
});

describe('versions', () => {
  it('are taken off the path; none means the newest', () => {
    expect(splitVersion('/v1.41/containers/json')).toEqual({ version: '1.41', path: '/containers/json' });
    expect(splitVersion('/volumes/v1.41/x')).toEqual({ version: '1.50', path: '/volumes/v1.41/x' });
  });

  it('out of range are refused in the words that clients know', () => {
    expect(() => splitVersion('/v1.51/info')).toThrow(
      'client version 1.51 is too new. Maximum supported API version is 1.50',
    );
    expect(() => splitVersion('/v2.0/info')).toThrow(/too new/);
    expect(() => splitVersion('/v1.9/info')).toThrow(
      'client version 1.9 is too old. Minimum supported API version is 1.24, please',
    );
    expect(() => splitVersion('/v1/info')).toThrow(/invalid API version/);
  });
});

describe('request bodies', () => {
  it('match keys without regard to case, drop null and what is unknown', () => {
    expect(
      decodeContainerCreate({ image: 'busybox', CMD: ['a'], Env: null, Colour: 'red', Labels: { Image: 'x' } }),
    ).toEqual({
      Image: 'busybox',
      Cmd: ['a'],
      Labels: { Image: 'x' },
    });
  });

  it('take one string for a command of one word', () => {
    expect(decodeContainerCreate({ Cmd: 'ls', Entrypoint: 'sh' })).toEqual({ Cmd: ['ls'], Entrypoint: ['sh'] });
  });

  it('keep what the engine has to judge in HostConfig', () => {
    expect(decodeContainerCreate({ HostConfig: { binds: ['/a:/b'], Memory: 5, Dns: null } })).toEqual({
      HostConfig: { Binds: ['/a:/b'], Memory: 5 },
    });
  });

  it('name the field that is wrong', () => {
    expect(() => decodeContainerCreate([])).toThrow('invalid JSON: the body must be an object');
    expect(() => decodeContainerCreate({ Env: 'A=1' })).toThrow('invalid JSON: Env must be a list of strings');
    expect(() => decodeContainerCreate({ hostconfig: { binds: [1] } })).toThrow(
      'invalid JSON: HostConfig.Binds must be a list of strings',
    );
    expect(() => decodeContainerCreate({ Labels: { a: 1 } })).toThrow(
      'invalid JSON: Labels must be an object of strings',
    );
    expect(() => decodeExecCreate({ Cmd: [1] })).toThrow(/Cmd must be/);
  });

  it('do not reach into prototypes', () => {
    const body = decodeContainerCreate(JSON.parse('{"HostConfig":{"__proto__":{"Privileged":true}}}'));
    expect(body.HostConfig?.Privileged).toBeUndefined();
  });

  it('hold the terminal size of an exec', () => {
    expect(decodeExecStart({ Tty: true, ConsoleSize: [24, 80] })).toEqual({ Tty: true, ConsoleSize: [24, 80] });
    expect(decodeExecStart({ ConsoleSize: null })).toEqual({});
  });
});

describe('error kinds', () => {
  it('survive the way over HTTP', () => {
    for (const [kind, status] of Object.entries(STATUS_OF_KIND)) expect(kindOfStatus(status)).toBe(kind);
  });

  it('are guessed for the statuses of other engines', () => {
    expect(kindOfStatus(418)).toBe('invalid');
    expect(kindOfStatus(502)).toBe('internal');
  });
});

describe('registry credentials', () => {
  it('are read with and without padding; an empty object is nobody', () => {
    const auth = { username: 'a', password: 'b?>' };
    expect(parseRegistryAuth(encodeRegistryAuth(auth))).toEqual(auth);
    expect(parseRegistryAuth(Buffer.from(JSON.stringify(auth)).toString('base64'))).toEqual(auth);
    expect(parseRegistryAuth('e30=')).toBeUndefined();
    expect(parseRegistryAuth(undefined)).toBeUndefined();
  });

  it('are never repeated in an error', () => {
    expect(() => parseRegistryAuth('c2VjcmV0')).toThrow('invalid X-Registry-Auth header: not base64 of JSON');
  });
});
