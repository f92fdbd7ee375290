import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCredentialStore } from '../../../src/registry-client/index.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-logins-'));
  file = join(folder, 'config.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (path = file) =>
  openCredentialStore({ file: path, env: { PATH: `${folder}:/usr/bin:/bin`, FOLDER: folder }, now: Date.now });
const password = (username: string) => ({ kind: 'password', username, password: 'p:w' }) as const;
const stored = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

describe('logins in config.json', () => {
  it('come back, with Hub under its own key, in a file for its owner only', async () => {
    expect(await open().store('docker.io', password('hub'))).toEqual({ isPlain: true });
    await open().store('r.example:5000', { kind: 'identity', token: 'idt' });
    expect(await open().find('docker.io')).toEqual(password('hub'));
    expect(await open().find('r.example:5000')).toEqual({ kind: 'identity', token: 'idt' });
    expect(stored()).toEqual({
      auths: {
        'https://index.docker.io/v1/': { auth: Buffer.from('hub:p:w').toString('base64') },
        'r.example:5000': { identitytoken: 'idt' },
      },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['config.json']);
  });

  it('leave keys that we do not know, their order and the indentation', async () => {
    const before = '{\n    "zeta": [1],\n    "auths": {},\n    "HttpHeaders": {\n        "X": "y"\n    }\n}\n';
    writeFileSync(file, before);
    await open().store('r.example', password('u'));
    await open().erase('r.example');
    expect(readFileSync(file, 'utf8')).toBe(before.replace('[1]', '[\n        1\n    ]'));
  });

  it('go where links lead', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync('real/there.json', file);
    await open().store('r.example', password('u'));
    expect(readlinkSync(file)).toBe('real/there.json');
    expect(await open(join(folder, 'real/there.json')).find('r.example')).toEqual(password('u'));
  });

  it('that come at once are all kept', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `r${index}.example`);
    await Promise.all(names.map((name) => open().store(name, password(name))));
    expect((await open().list()).toSorted()).toEqual(names.toSorted());
  });

  it('do not wait for a writer that died', async () => {
    writeFileSync(`${file}.lock`, '');
    utimesSync(`${file}.lock`, 1, 1);
    await open().store('r.example', password('u'));
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  it('are erased under every spelling of a registry', async () => {
    writeFileSync(file, JSON.stringify({ auths: { 'https://r.example/v1/': {}, 'r.example': {}, other: {} } }));
    expect(await open().erase('r.example')).toBe(true);
    expect(await open().erase('r.example')).toBe(false);
    expect(stored()).toEqual({ auths: { other: {} } });
  });

  it('stay as they are when the file is damaged, and the message shows nothing of it', async () => {
    writeFileSync(file, '{"auths": secret');
    const error = await open()
      .store('r.example', password('u'))
      .catch((failure: Error) => failure);
    expect(String(error)).toMatch(/is not JSON/);
    expect(String(error)).not.toContain('secret');
    expect(readFileSync(file, 'utf8')).toBe('{"auths": secret');
  });
});

describe('logins in a credential helper', () => {
  beforeEach(() => {
    const path = join(folder, 'docker-credential-box');
    // Notes its arguments and input; an absent entry is told in the protocol's own sentence.
    writeFileSync(
      path,
      `#!/bin/sh\necho "$*" >> "$FOLDER/calls"\ncat > "$FOLDER/input-$1"\n` +
        `[ "$1" != erase ] || [ -e "$FOLDER/has" ] || { echo credentials not found in native keychain; exit 1; }\n` +
        `[ "$1" != list ] || echo '{"https://index.docker.io/v1/":"u"}'\n`,
    );
    chmodSync(path, 0o755);
    writeFileSync(file, JSON.stringify({ credsStore: 'box' }));
  });

  it('get the secret by stdin only, and leave none in the file', async () => {
    expect(await open().store('docker.io', password('u'))).toEqual({ isPlain: false });
    const document = JSON.parse(readFileSync(join(folder, 'input-store'), 'utf8'));
    expect(document).toEqual({ ServerURL: 'https://index.docker.io/v1/', Username: 'u', Secret: 'p:w' });
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe('store\n');
    expect(stored()).toEqual({ credsStore: 'box', auths: { 'https://index.docker.io/v1/': {} } });
  });

  it('know identity tokens by a name of their own', async () => {
    await open().store('r.example', { kind: 'identity', token: 'idt' });
    expect(JSON.parse(readFileSync(join(folder, 'input-store'), 'utf8'))).toMatchObject({
      Username: '<token>',
      Secret: 'idt',
    });
  });

  it('are erased there, too', async () => {
    expect(await open().erase('r.example')).toBe(false);
    writeFileSync(join(folder, 'has'), '');
    expect(await open().erase('r.example')).toBe(true);
    expect(readFileSync(join(folder, 'input-erase'), 'utf8')).toBe('r.example');
  });

  it('are listed with those of the file', async () => {
    await open().store('r.example', password('u'));
    expect((await open().list()).toSorted()).toEqual(['docker.io', 'r.example']);
  });
});
