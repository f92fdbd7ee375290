import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeychain } from '../../../src/registry-client/index.ts';
import { until } from '../../support/host.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-keychain-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function keychain(config: unknown, programTimeoutMs = 10_000) {
  const file = join(folder, 'config.json');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return createKeychain({ file, env: { PATH: `${folder}:/usr/bin:/bin` }, programTimeoutMs });
}

function program(name: string, script: string): void {
  const path = join(folder, `docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const auth = (text: string) => Buffer.from(text).toString('base64');

describe('credentials in config.json', () => {
  it('are found by host, also under old URLs and Hub’s own key', async () => {
    const keys = keychain({
      auths: {
        'https://index.docker.io/v1/': { auth: auth('hub:a:b') },
        'r.example:5000': { auth: auth('r:pw') },
        'https://old.example/v1/': { auth: auth('old:pw') },
        'plain.example': { username: 'u', password: 'p' },
        'idt.example': { auth: '', identitytoken: 'idt' },
      },
    });
    const found = (host: string) => keys.find(host);
    expect(await found('docker.io')).toEqual({ kind: 'password', username: 'hub', password: 'a:b' });
    expect(await found('r.example:5000')).toMatchObject({ username: 'r' });
    expect(await found('old.example')).toMatchObject({ username: 'old' });
    expect(await found('plain.example')).toMatchObject({ username: 'u', password: 'p' });
    expect(await found('idt.example')).toEqual({ kind: 'identity', token: 'idt' });
    expect(await found('r.example')).toBeUndefined();
    expect(await found('example')).toBeUndefined();
  });

  it('are none when there is no file', async () => {
    const keys = createKeychain({ file: join(folder, 'none.json'), env: {} });
    expect(await keys.find('docker.io')).toBeUndefined();
  });

  it('stay out of the error when the file is damaged', async () => {
    await expect(keychain('{"auths": {"x": "s3cret').find('x')).rejects.toThrow(/^(?!.*s3cret).*is not JSON$/);
  });
});

describe('a credential helper', () => {
  it('is asked with the registry’s name on its stdin', async () => {
    program('good', `cat > ${folder}/asked; echo "$1" >> ${folder}/asked; echo '{"Username":"u","Secret":"s"}'`);
    const keys = keychain({ credHelpers: { 'r.example': 'good' }, credsStore: 'other' });
    expect(await keys.find('r.example')).toEqual({ kind: 'password', username: 'u', password: 's' });
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('r.exampleget\n');
  });

  it('gives an identity token under the user <token>', async () => {
    program('store', `echo '{"Username":"<token>","Secret":"idt"}'`);
    expect(await keychain({ credsStore: 'store' }).find('docker.io')).toEqual({ kind: 'identity', token: 'idt' });
  });

  it('may have none: then the file counts', async () => {
    program('store', 'echo "credentials not found in native keychain"; exit 1');
    const keys = keychain({ credsStore: 'store', auths: { 'r.example': { auth: auth('u:p') } } });
    expect(await keys.find('r.example')).toMatchObject({ username: 'u' });
  });

  it.each([
    ['prints garbage', 'echo s3cret garbage', 'did not answer in JSON'],
    ['prints too much', 'yes s3cret', 'printed too much'],
    ['fails', 'echo s3cret; exit 3', 'ended with exit code 3'],
    ['answers without a secret', `echo '{"Username":"s3cret"}'`, 'answered without user and secret'],
  ])('case 25: that %s is named, without what it said', async (_name, script, why) => {
    program('bad', script);
    const failure = await keychain({ credsStore: 'bad' })
      .find('r.example')
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ kind: 'unavailable', message: expect.stringContaining(why) });
    expect((failure as Error).message).not.toContain('s3cret');
  });

  it('case 25: that hangs is ended, with what it started', async () => {
    program('slow', `sleep 60 & echo $! > ${folder}/pid; wait`);
    await expect(keychain({ credsStore: 'slow' }, 500).find('r.example')).rejects.toThrow(/did not answer within 0.5/);
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
    const isGone = () => !existsSync(`/proc/${pid}/stat`) || /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    await until(isGone);
  });

  it('is looked for in PATH only', async () => {
    await expect(keychain({ credsStore: '../evil' }).find('r.example')).rejects.toThrow(
      /a name that no program can have/,
    );
    await expect(keychain({ credsStore: 'absent' }).find('r.example')).rejects.toThrow(/does not run/);
  });
});
