import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_ID, startTestBed, type TestBed } from '../../unit/api/fake-engine.ts';

/** The real docker CLI against our server, with an engine that only answers: what is tested is the wire. */
let bed: TestBed;
let context: string;
let built: unknown;

beforeAll(async () => {
  bed = await startTestBed({
    builds: {
      async build({ source, ...input }, { emit }) {
        built = input;
        let size = 0;
        if (source.kind === 'tar') for await (const chunk of source.stream) size += chunk.length;
        const vertices = [{ id: 'a', digest: IMAGE_ID, name: `[1/1] FROM scratch`, inputs: [], line: 1 }];
        emit({ type: 'started', at: 0, vertices });
        emit({ type: 'vertex-cached', at: 0, vertex: 'a' });
        emit({ type: 'exported', at: 0, image: IMAGE_ID, names: ['docker.io/library/app:1'] });
        if (size % 512 !== 0 || size === 0) throw new Error(`${size} bytes are no tar`);
        return { image: IMAGE_ID };
      },
    },
  });
  context = join(dirname(bed.socketPath), 'context');
  await mkdir(context);
  await writeFile(join(context, 'Dockerfile'), 'FROM scratch\n');
});
afterAll(async () => {
  await rm(context, { recursive: true, force: true });
  await bed.close();
});

async function docker(args: readonly string[], input = ''): Promise<{ code: number | null; out: string; err: string }> {
  const env = { ...process.env, DOCKER_BUILDKIT: '0', DOCKER_CONTEXT: '', DOCKER_HOST: '' };
  const child = spawn('docker', ['-H', bed.host, ...args], { env, stdio: 'pipe' });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (texts.out += chunk));
  child.stderr.on('data', (chunk) => (texts.err += chunk));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', () => reject(new Error('the docker CLI is needed: apt-get install docker.io')));
    child.on('close', resolve);
  });
  return { code, ...texts };
}

describe('the docker CLI', () => {
  it('negotiates and tells the server version', async () => {
    const { code, out } = await docker(['version', '--format', '{{.Server.Version}} {{.Server.APIVersion}}']);
    expect([code, out]).toEqual([0, '0.1.0 1.50\n']);
    expect((await docker(['info', '--format', '{{.ServerVersion}} {{.Driver}}'])).out).toBe('0.1.0 overlay2\n');
  });

  it('lists containers and images', async () => {
    expect((await docker(['ps', '-a', '--format', '{{.ID}} {{.Names}} {{.Status}}'])).out).toBe(
      'c0ffee000000 box Exited (7) 2 minutes ago\n',
    );
    expect((await docker(['images', '--format', '{{.Repository}}:{{.Tag}} {{.Size}}'])).out).toBe(
      'busybox:latest 1.23MB\n',
    );
    expect((await docker(['ps', '-f', 'label=a=b', '-q'])).code).toBe(0);
  });

  it('runs with input and gives the exit code', async () => {
    const { code, out, err } = await docker(['run', '--rm', '-i', 'busybox', 'cat'], 'hello\n');
    expect([code, out, err]).toEqual([7, 'HELLO\n', 'bye\n']);
    const order = bed.engine.calls.map(({ name }) => name);
    expect(order.slice(order.lastIndexOf('create'))).toEqual(['create', 'attach', 'wait', 'start']);
  });

  it('executes, follows and stops', async () => {
    expect(await docker(['exec', '-i', 'box', 'cat'], 'exec\n')).toEqual({ code: 5, out: 'EXEC\n', err: 'bye\n' });
    expect(await docker(['logs', 'box'])).toEqual({ code: 0, out: 'out\n', err: 'err\n' });
    expect((await docker(['stop', '-t', '3', 'box'])).out).toBe('box\n');
    expect((await docker(['rm', '-f', 'box'])).out).toBe('box\n');
    expect((await docker(['top', 'box'])).out).toMatch(/PID +CMD\n1 +sh/);
  });

  it('builds with its classic builder', async () => {
    const { code, out } = await docker([
      'build',
      '-t',
      'app:1',
      '--build-arg',
      'A=1',
      '--label',
      'l=v',
      '--target',
      'x',
      context,
    ]);
    expect(code).toBe(0);
    expect(out).toContain(
      'Step 1/1 : FROM scratch\n ---> Using cache\nSuccessfully built 111111111111\nSuccessfully tagged app:1\n',
    );
    expect(built).toMatchObject({ names: ['app:1'], buildArgs: { A: '1' }, labels: { l: 'v' }, target: 'x' });
    expect((await docker(['build', '-q', context])).out).toBe(`${IMAGE_ID}\n`);
  });

  it('moves images in and out', async () => {
    expect((await docker(['save', 'a', 'b'])).out).toBe('saved a b');
    expect((await docker(['import', '-', 'x'], 'bytes')).out).toContain('read 5 bytes');
    expect((await docker(['export', 'box'])).out).toBe('tar onetar two');
    expect((await docker(['commit', 'box', 'x:y'])).out).toBe(`${IMAGE_ID}\n`);
    expect((await docker(['tag', 'busybox', 'localhost:5000/a/b:c'])).code).toBe(0);
    expect((await docker(['rmi', 'localhost:5000/a/b:c'])).out).toContain('Untagged');
  });

  it('shows our errors as they are', async () => {
    const { code, err } = await docker(['plugin', 'ls']);
    expect([code, err]).toEqual([
      1,
      'Error response from daemon: GET /plugins is not available in this version of Berth yet\n',
    ]);
    expect((await docker(['node', 'ls'])).err).toContain('not a swarm manager');
  });
});
