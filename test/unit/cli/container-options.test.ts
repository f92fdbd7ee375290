import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitCsv } from '../../../src/cli/container/csv.ts';
import { keyValues, readEnvironment, readLabels } from '../../../src/cli/container/key-values.ts';
import { parseMount, parseVolumes } from '../../../src/cli/container/mounts.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'berth-options-'));
  writeFileSync(join(cwd, 'good.env'), '\ufeffA=1\r\n# no\n\n  FROM_ENV\nUNSET\nB=x=y #kept\n');
  writeFileSync(join(cwd, 'bad.env'), 'A=1\nnot good=2\n');
});
afterAll(() => rmSync(cwd, { recursive: true }));

describe('environment and labels', () => {
  it('reads files first and passes names on from the caller', async () => {
    const env = await readEnvironment(['good.env'], ['C=', 'FROM_ENV', 'GONE'], { cwd, env: { FROM_ENV: 'here' } });
    expect(env).toEqual(['A=1', 'FROM_ENV=here', 'B=x=y #kept', 'C=', 'FROM_ENV=here']);
  });

  it('names the file and line of a mistake', async () => {
    await expect(readEnvironment(['bad.env'], [], { cwd, env: {} })).rejects.toThrow(
      "bad.env:2: the name 'not good' has a space in it",
    );
    await expect(readEnvironment(['gone.env'], [], { cwd, env: {} })).rejects.toThrow(
      'cannot read gone.env: no such file',
    );
    await expect(readEnvironment([], ['=x'], { cwd, env: {} })).rejects.toThrow('invalid environment variable: =x');
  });

  it('lets a later label win', async () => {
    expect(await readLabels(['good.env'], ['A=2', 'bare'], cwd)).toMatchObject({ A: '2', bare: '' });
    expect(keyValues(['a=b=c'])).toEqual({ a: 'b=c' });
  });
});

describe('splitCsv', () => {
  it('keeps commas in quotes', () => {
    expect(splitCsv('a,"b,""c""",,d')).toEqual(['a', 'b,"c"', '', 'd']);
    expect(() => splitCsv('"a')).toThrow('a quote is not closed');
  });
});

describe('parseMount', () => {
  it('reads bind and tmpfs mounts with their older names', () => {
    expect(parseMount('type=bind,src=/a,dst=/b,ro,bind-propagation=rslave', '/cwd')).toEqual({
      Type: 'bind',
      Source: '/a',
      Target: '/b',
      ReadOnly: true,
      BindOptions: { Propagation: 'rslave' },
    });
    expect(parseMount('type=bind,source=x,destination=/b,readonly=false', '/cwd')).toEqual({
      Type: 'bind',
      Source: '/cwd/x',
      Target: '/b',
    });
    expect(parseMount('type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777', '/')).toEqual({
      Type: 'tmpfs',
      Target: '/t',
      TmpfsOptions: { SizeBytes: 1024 ** 2, Mode: 0o1777 },
    });
  });

  it('reads volumes, which are the default', () => {
    expect(parseMount('source=v,target=/b', '/')).toEqual({ Type: 'volume', Source: 'v', Target: '/b' });
    const options =
      'volume-nocopy,volume-label=a=b,volume-label=c,volume-opt=type=nfs,volume-opt=o=ro,volume-subpath=x';
    expect(parseMount(`type=volume,target=/b,source=v,${options}`, '/')).toMatchObject({
      VolumeOptions: {
        NoCopy: true,
        Labels: { a: 'b', c: '' },
        Subpath: 'x',
        DriverConfig: { Options: { type: 'nfs', o: 'ro' } },
      },
    });
  });

  it.each([
    ['type=bind,source=/a', 'target is required'],
    ['type=bind,target=/a', 'source is required'],
    ['type=bind,source=/a,target=b', 'target must be an absolute path'],
    ['type=bind,sorce=/a,target=/b', "unexpected key 'sorce'"],
    ['type=bind,source,target=/b', "invalid field 'source' must be a key=value pair"],
    ['type=tmpfs,target=/b,source=/a', 'a tmpfs has no source'],
    ['type=tmpfs,target=/b,tmpfs-mode=9', "invalid mode '9'"],
    ['type=image,source=v,target=/b', 'type=image is not there yet'],
    ['type=bind,source=/a,volume-opt=a=b,target=/b', "cannot mix 'volume-*' options with mount type 'bind'"],
  ])('refuses %s', (text, message) => {
    expect(() => parseMount(text, '/')).toThrow(message);
  });
});

describe('parseVolumes', () => {
  it('tells paths from names of volumes', () => {
    expect(parseVolumes(['./a:/a', '..:/up', '/abs:/abs:ro', 'data:/data', '/only'], '/cwd/sub')).toEqual({
      binds: ['/cwd/sub/a:/a', '/cwd:/up', '/abs:/abs:ro', 'data:/data'],
      anonymous: { '/only': {} },
    });
  });

  it.each(['a:b', 'a:/b:ro:x', ':/b', '/a::ro'])('refuses %s', (text) => {
    expect(() => parseVolumes([text], '/')).toThrow('invalid volume specification');
  });
});
