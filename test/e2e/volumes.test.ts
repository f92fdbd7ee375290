import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host } from '../support/host.ts';

let host: Host;
let folder: string;

beforeAll(async () => {
  host = new Host();
  folder = mkdtempSync('/tmp/berth-volumes-');
  await host.importBase('busybox');
  await host.ok(['build', '-q', '-t', 'db', '-'], {
    input:
      'FROM busybox\nRUN mkdir -p /var/lib/db && echo first > /var/lib/db/table && chown -R 5:6 /var/lib/db && chmod 750 /var/lib/db\nVOLUME /log\n',
  });
});

afterAll(async () => {
  await host.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => host.ok(['run', '--rm', ...args]);
const dataOf = async (volume: string) => (await host.ok(['volume', 'inspect', '-f', '{{.Mountpoint}}', volume])).trim();

describe('a named volume', () => {
  it('keeps its data when the container goes', async () => {
    await run('-v', 'data_volume:/var/lib/mysql', 'busybox', 'sh', '-c', 'echo kept > /var/lib/mysql/row');
    expect(await run('-v', 'data_volume:/data', 'busybox', 'cat', '/data/row')).toBe('kept\n');
    expect(readFileSync(join(await dataOf('data_volume'), 'row'), 'utf8')).toBe('kept\n');
    expect(await host.ok(['volume', 'ls', '-q'])).toContain('data_volume\n');
  });

  it('that is empty gets what the image has there, with owner and mode', async () => {
    expect(await run('-v', 'fresh:/var/lib/db', 'db', 'cat', '/var/lib/db/table')).toBe('first\n');
    const { uid, gid, mode } = statSync(await dataOf('fresh'));
    expect([uid, gid, mode & 0o777]).toEqual([5, 6, 0o750]);
    await run('-v', 'fresh:/var/lib/db', 'db', 'sh', '-c', 'echo second > /var/lib/db/table');
    expect(await run('-v', 'fresh:/var/lib/db', 'db', 'cat', '/var/lib/db/table')).toBe('second\n');
    expect(await run('-v', 'bare:/var/lib/db:nocopy', 'db', 'ls', '/var/lib/db')).toBe('');
  });

  it('is read-only on request', async () => {
    const result = await host.berth(['run', '--rm', '-v', 'data_volume:/d:ro', 'busybox', 'touch', '/d/x']);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('Read-only file system') });
  });

  it('is in use until its container is removed', async () => {
    await host.ok(['create', '--name', 'user', '-v', 'used:/x', 'busybox']);
    const refused = await host.berth(['volume', 'rm', 'used']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('volume is in use - [') });
    await host.ok(['rm', '-v', 'user']);
    expect(await host.ok(['volume', 'rm', 'used'])).toBe('used\n');
  });

  it('can be asked for in all words of --mount', async () => {
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/file'), 'bound\n');
    await run(
      '--mount',
      'type=volume,source=deep,target=/d',
      'busybox',
      'sh',
      '-c',
      'mkdir -p /d/a/b; echo in > /d/a/b/c',
    );
    expect(await run('--mount', 'src=deep,dst=/x,volume-subpath=a/b,readonly', 'busybox', 'cat', '/x/c')).toBe('in\n');
    expect(await run('--mount', 'src=deep,dst=/x,volume-subpath=a/b/c', 'busybox', 'cat', '/x')).toBe('in\n');
    const options = `type=volume,dst=/m,src=bound,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=${folder}/src`;
    expect(await run('--mount', options, 'busybox', 'cat', '/m/file')).toBe('bound\n');
    expect(await host.ok(['volume', 'inspect', '-f', '{{json .Options}}', 'bound'])).toBe(
      `{"device":"${folder}/src","o":"bind","type":"none"}\n`,
    );
  });

  it('with a subpath that a link leads out of is refused', async () => {
    await run('-v', 'trap:/t', 'busybox', 'true');
    symlinkSync('/etc', join(await dataOf('trap'), 'out'));
    symlinkSync('../../..', join(await dataOf('trap'), 'up'));
    for (const subpath of ['out', 'none', 'up/etc']) {
      const result = await host.berth([
        'run',
        '--rm',
        '--mount',
        `src=trap,dst=/x,volume-subpath=${subpath}`,
        'busybox',
        'ls',
      ]);
      expect(result.code, subpath).toBe(125);
      expect(result.stderr).toContain(`cannot access path ${subpath} in `);
    }
  });

  it('survives kill -9 of the engine, mounted as it was', async () => {
    await host.ok(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m', 'memory']);
    await host.ok([
      'run',
      '-d',
      '--name',
      'keeper',
      '-v',
      'memory:/m',
      'busybox',
      'sh',
      '-c',
      'echo x > /m/x; sleep 600',
    ]);
    await host.killEngine();
    expect(await run('-v', 'memory:/m', 'busybox', 'cat', '/m/x')).toBe('x\n');
    expect(await run('--volumes-from', 'keeper:ro', 'busybox', 'sh', '-c', 'cat /m/x; touch /m/y || true')).toBe('x\n');
    await host.ok(['rm', '-f', 'keeper']);
    expect(await run('-v', 'memory:/m', 'busybox', 'ls', '/m')).toBe('');
  });
});

describe('an anonymous volume', () => {
  it('of -v or of the image goes with rm -v and with --rm only', async () => {
    const before = await host.ok(['volume', 'ls', '-q']);
    await run('-v', '/scratch', 'db', 'sh', '-c', 'touch /scratch/a /log/b');
    expect(await host.ok(['volume', 'ls', '-q'])).toBe(before);
    await host.ok(['run', '--name', 'left', '-v', '/scratch', 'db', 'touch', '/scratch/a', '/log/b']);
    expect((await host.ok(['volume', 'ls', '-q'])).split('\n').length).toBe(before.split('\n').length + 2);
    await host.ok(['rm', '-v', 'left']);
    expect(await host.ok(['volume', 'ls', '-q'])).toBe(before);
  });
});

describe('a folder of the host', () => {
  it('is made by -v and must be there for --mount', async () => {
    const missing = join(folder, 'not/there');
    const refused = await host.berth(['run', '--rm', '--mount', `type=bind,source=${missing},target=/x`, 'busybox']);
    expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining('bind source path does not exist') });
    await run('-v', `${missing}:/x`, 'busybox', 'touch', '/x/made');
    expect(statSync(join(missing, 'made')).isFile()).toBe(true);
  });
});

describe('volume prune', () => {
  it('asks, and takes only what no container has and nobody named', async () => {
    await host.ok(['volume', 'create', 'named']);
    await host.ok([
      'run',
      '--name',
      'old',
      '-v',
      '/scratch',
      '-v',
      'kept:/k',
      'busybox',
      'sh',
      '-c',
      'echo 12345 > /scratch/a',
    ]);
    await host.ok(['rm', 'old']);
    const asked = await host.berth(['volume', 'prune'], { input: 'n\n' });
    expect(asked.stdout).toContain('anonymous local volumes not used by at least one container.');
    const done = await host.ok(['volume', 'prune', '-f']);
    expect(done).toMatch(/^Deleted Volumes:\n[0-9a-f]{64}\n\nTotal reclaimed space: /);
    expect(await host.ok(['volume', 'ls', '-q'])).toMatch(/^kept\n([^\n]*\n)*named$/m);
    await host.ok(['volume', 'prune', '-a', '-f', '--filter', 'label!=keep']);
    expect(await host.ok(['volume', 'ls', '-q'])).not.toContain('named');
  });
});

describe('a cache of builds', () => {
  it('is shared by RUN steps and containers', async () => {
    const input = 'FROM busybox\nRUN --mount=type=cache,target=/cache echo built > /cache/by\n';
    await host.ok(['build', '-q', '-'], { input });
    expect(await run('--mount', 'type=cache,target=/cache', 'busybox', 'cat', '/cache/by')).toBe('built\n');
    await run('--mount', 'type=cache,target=/elsewhere,id=/cache', 'busybox', 'sh', '-c', 'echo run > /elsewhere/by');
    const again = 'FROM busybox\nRUN --mount=type=cache,target=/cache cp /cache/by /by\n';
    await host.ok(['build', '-q', '-t', 'again', '-'], { input: again });
    expect(await run('again', 'cat', '/by')).toBe('run\n');
    const wrong = await host.berth(['run', '--rm', '--mount', 'type=cache,target=/c,sharing=some', 'busybox']);
    expect(wrong).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('sharing must be shared, private, locked'),
    });
  });
});

describe('idmap', () => {
  it.each(['mount', 'volume'])('lets files keep the owner of the folder, by --%s', async (flag) => {
    const owned = join(folder, `owned-${flag}`);
    mkdirSync(owned);
    writeFileSync(join(owned, 'before'), '');
    for (const path of [owned, join(owned, 'before')]) chownSync(path, 1234, 1235);
    const value = flag === 'mount' ? `type=bind,src=${owned},dst=/w,idmap` : `${owned}:/w:idmap`;
    const seen = await run(`--${flag}`, value, 'busybox', 'sh', '-c', 'touch /w/new; stat -c "%u:%g" /w/before /w/new');
    expect(seen).toBe('0:0\n0:0\n');
    await run(`--${flag}`, value, '-u', '77:78', 'busybox', 'touch', '/w/other');
    for (const name of ['before', 'new', 'other']) {
      const { uid, gid } = statSync(join(owned, name));
      expect([name, uid, gid]).toEqual([name, 1234, 1235]);
    }
  });
});

describe('the docker CLI', () => {
  it('works with our volumes', async () => {
    const docker = async (...args: string[]) => {
      const result = await host.docker(args);
      expect(result.code, result.stderr).toBe(0);
      return result.stdout;
    };
    expect(await docker('volume', 'create', '--label', 'a=b', 'theirs')).toBe('theirs\n');
    expect(await docker('volume', 'ls', '--filter', 'label=a=b')).toBe('DRIVER    VOLUME NAME\nlocal     theirs\n');
    expect(await host.ok(['volume', 'ls', '--filter', 'label=a=b'])).toBe('DRIVER    VOLUME NAME\nlocal     theirs\n');
    await docker('run', '--rm', '-v', 'theirs:/x', 'busybox', 'touch', '/x/y');
    expect(await docker('volume', 'inspect', '-f', '{{.Name}} {{.Driver}} {{.Scope}}', 'theirs')).toBe(
      'theirs local local\n',
    );
    expect(await docker('volume', 'rm', 'theirs')).toBe('theirs\n');
  });
});
