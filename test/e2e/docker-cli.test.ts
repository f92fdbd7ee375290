import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host, until } from '../support/host.ts';

/** The real docker CLI, unchanged, on our socket. */
describe('docker CLI', () => {
  const host = new Host();
  const docker = async (...args: string[]) => {
    const result = await host.docker(args);
    if (result.code !== 0)
      throw new Error(`docker ${args.join(' ')}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  };

  beforeAll(() => host.importBase('busybox'));
  afterAll(() => host.dispose());

  it('version names both sides', async () => {
    const text = await docker('version');
    expect(text).toContain('Client');
    expect(text).toMatch(/Server: Berth[\s\S]*API version:/);
  });

  it('info counts images and containers', async () => {
    const text = await docker('info');
    expect(text).toMatch(/Images: 1/);
    expect(text).toMatch(/Default Runtime: crun/);
  });

  it('images lists the base', async () => {
    expect(await docker('images')).toMatch(/busybox +latest +[0-9a-f]{12}/);
  });

  it('run --rm shows the output of the command and leaves nothing', async () => {
    expect(await docker('run', '--rm', 'busybox', 'echo', 'hello')).toBe('hello\n');
    expect((await docker('ps', '-aq')).trim()).toBe('');
  });

  it('run gives the exit code of the command', async () => {
    expect((await host.docker(['run', '--rm', 'busybox', 'sh', '-c', 'exit 7'])).code).toBe(7);
    expect((await host.docker(['run', '--rm', 'busybox', 'nosuch'])).code).toBe(127);
    expect((await host.docker(['run', '--rm', 'busybox', '/etc'])).code).toBe(126);
  });

  it('run -i feeds standard input and sees its end', async () => {
    const result = await host.docker(['run', '--rm', '-i', 'busybox', 'cat'], { input: 'one\ntwo\n' });
    expect(result).toMatchObject({ code: 0, stdout: 'one\ntwo\n' });
  });

  it('keeps stdout and stderr apart', async () => {
    const result = await host.docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2']);
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });

  it('run -d, ps, logs -f, exec, stop, rm are one life', async () => {
    const script =
      'trap "exit 3" TERM; echo started; i=0; while [ $i -lt 3 ]; do echo line $i; i=$((i+1)); sleep 0.1; done; while :; do sleep 0.1; done';
    const id = (await docker('run', '-d', '--name', 'life', 'busybox', 'sh', '-c', script)).trim();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await docker('ps', '-a')).toMatch(new RegExp(`${id.slice(0, 12)} +busybox .*Up .*life`));
    expect(await docker('exec', 'life', 'echo', 'inside')).toBe('inside\n');
    expect((await host.docker(['exec', 'life', 'sh', '-c', 'exit 9'])).code).toBe(9);
    const follow = host.docker(['logs', '-f', 'life']);
    await until(async () => (await docker('logs', 'life')).includes('line 2'));
    await docker('stop', 'life');
    expect(await follow).toMatchObject({ code: 0, stdout: 'started\nline 0\nline 1\nline 2\n' });
    expect(await docker('ps', '-a', '--format', '{{.Names}} {{.Status}}')).toMatch(/^life Exited \(3\)/);
    expect(await docker('inspect', '-f', '{{.State.ExitCode}} {{.State.Status}}', 'life')).toBe('3 exited\n');
    await docker('rm', 'life');
    expect((await docker('ps', '-aq')).trim()).toBe('');
  });

  it('says what is missing in its own words', async () => {
    const result = await host.docker(['rm', 'nobody']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('No such container: nobody');
  });

  it('builds with the classic builder protocol', async () => {
    const result = await host.docker(['build', '-t', 'from-docker', '-'], {
      input: 'FROM busybox\nRUN echo made > /made\nCMD ["cat", "/made"]\n',
    });
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(result.stdout).toMatch(/Step 1\/2 : FROM .*busybox/);
    expect(result.stdout).toMatch(/Successfully tagged from-docker:latest/);
    expect(await docker('run', '--rm', 'from-docker')).toBe('made\n');
  });
});
