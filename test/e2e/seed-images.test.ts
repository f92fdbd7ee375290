import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { berthProgram, command, Host } from '../support/host.ts';

let host: Host;
let folder: string;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  host = new Host();
  await host.importBase('busybox');
  folder = mkdtempSync(join(tmpdir(), 'berth-offline-'));
  mkdirSync(join(folder, 'bin'));
  symlinkSync(berthProgram, join(folder, 'bin/docker'));
  env = { ...host.env, PATH: `${folder}/bin:${process.env['PATH']}` };
}, 120_000);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await host.dispose();
});

/** A command line as the tutorial has it, in a shell where `docker` is Berth. */
const line = (text: string) => command('sh', ['-c', text], { cwd: folder, env });

describe('transferring an image to an offline server', () => {
  it('saves an image into a tar', async () => {
    expect(await line('docker save busybox:latest > ARBITRARY_NAME.tar')).toMatchObject({ code: 0, stderr: '' });
    const names = execFileSync('tar', ['-tf', join(folder, 'ARBITRARY_NAME.tar')], { encoding: 'utf8' });
    expect(names).toMatch(/^manifest\.json$/m);
    expect(names).toMatch(/^repositories$/m);
  });

  it('imports it as docker does, and says what was meant', async () => {
    await line('docker save busybox:latest > ARBITRARY_NAME.tar');
    const imported = await line('docker import ARBITRARY_NAME.tar');
    expect(imported).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) });
    expect(imported.stderr).toContain('berth load');
    expect((await line('docker image ls')).stdout).toMatch(/^<none>\s+<none>\s+/m);
  });

  it('loads it where it was lost', async () => {
    await line('docker save busybox:latest > ARBITRARY_NAME.tar');
    await line('docker rmi busybox:latest');
    expect((await line('docker load < ARBITRARY_NAME.tar')).stdout).toMatch(/^Loaded image: busybox:latest$/m);
    expect((await line('docker run --rm busybox:latest echo here')).stdout).toBe('here\n');
  });

  it('exports a container and makes an image of it', async () => {
    await line('docker create --name exported busybox:latest');
    expect((await line('docker export exported | docker import - flat:1')).code).toBe(0);
    expect((await line('docker run --rm flat:1 /bin/echo flat')).stdout).toBe('flat\n');
    await line('docker rm exported');
  });
});

describe('importing', () => {
  let server: Server;
  let url: string;
  let tar: Buffer;

  beforeAll(async () => {
    tar = execFileSync('tar', ['-C', folder, '-cf', '-', 'bin'], { maxBuffer: 1 << 28 });
    server = createServer(({ url: path = '' }, response) => {
      if (path === '/moved') return response.writeHead(302, { Location: '/root.tar' }).end();
      if (path === '/inside') return response.writeHead(302, { Location: 'http://169.254.169.254/' }).end();
      if (path.startsWith('/root.tar')) return response.writeHead(200).end(tar);
      return response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it.each(['gzip', 'bzip2', 'xz', 'zstd'])('takes what %s packed', async (program) => {
    const packed = spawnSync(program, ['-c'], { input: tar, maxBuffer: 1 << 28 }).stdout;
    const made = await host.ok(['import', '-', `of-${program}`], { input: packed });
    expect(made).toMatch(/^sha256:/);
    const half = await host.berth(['import', '-'], { input: packed.subarray(0, packed.length >> 1) });
    expect(half.code).toBe(1);
    expect(half.stderr).toContain('damaged');
  });

  it('fetches from the web, without keys in the history', async () => {
    for (const path of ['/root.tar?token=secret', '/moved']) {
      expect(await host.ok(['import', `${url}${path}`, 'web:1'])).toMatch(/^sha256:/);
    }
    await host.ok(['import', `${url}/root.tar?token=secret`, 'web:1']);
    const history = await host.ok(['history', '--no-trunc', 'web:1']);
    expect(history).toContain(`Imported from ${url}/root.tar`);
    expect(history).not.toContain('secret');
    expect((await host.docker(['import', `${url}/root.tar`, 'web:2'])).stdout).toMatch(/sha256:/);
  });

  it.each([
    ['/none', 'answers 404'],
    ['/inside', 'link-local'],
  ])('tells why %s cannot be had', async (path, message) => {
    const result = await host.berth(['import', `${url}${path}`]);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain(message);
  });
});

it('removes a container that is named twice once', async () => {
  await host.ok(['create', '--name', 'twice', 'busybox']);
  const result = await host.berth(['rm', 'twice', 'twice']);
  expect(result).toMatchObject({ code: 1, stdout: 'twice\n' });
  expect(result.stderr).toContain('No such container: twice');
});
