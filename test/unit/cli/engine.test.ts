import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectHost } from '../../../src/cli/connection/host.ts';
import { startFailureCode } from '../../../src/cli/exit-codes.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { startFakeEngine } from './fake-engine.ts';
import { runMain } from './test-environment.ts';

describe('selectHost', () => {
  it('takes the flag, then BERTH_HOST, then DOCKER_HOST, then the local socket', () => {
    const env = { BERTH_HOST: 'tcp://b:1', DOCKER_HOST: 'tcp://d:1' };
    expect(selectHost(['tcp://f:1'], env)).toEqual({ url: 'tcp://f:1', isLocal: false });
    expect(selectHost([], env).url).toBe('tcp://b:1');
    expect(selectHost([], { DOCKER_HOST: 'tcp://d:1' }).url).toBe('tcp://d:1');
    expect(selectHost([], {})).toEqual({ url: 'unix:///run/berth/berth.sock', isLocal: true });
  });

  it('knows the local socket by its path, wherever it is named', () => {
    expect(selectHost(['/tmp/x/berth.sock'], { BERTH_RUN_ROOT: '/tmp/x/' })).toEqual({
      url: 'unix:///tmp/x/berth.sock',
      isLocal: true,
    });
  });
});

describe('the local engine', () => {
  it('is started when nobody listens, and asked again', async () => {
    const engine = await startFakeEngine([{ on: 'GET /containers/json', json: [] }]);
    let starts = 0;
    const ensureEngine = () => {
      starts++;
      return Promise.resolve(engine.host);
    };
    const runRoot = mkdtempSync(join(tmpdir(), 'berth-none-'));
    try {
      const { code, stdout } = await runMain(['ps', '-q'], {
        env: { BERTH_RUN_ROOT: runRoot },
        hosts: { ensureEngine },
      });
      expect({ code, stdout, starts }).toEqual({ code: 0, stdout: '', starts: 1 });
    } finally {
      rmSync(runRoot, { recursive: true });
      await engine.close();
    }
  });

  it('is not started for somebody who named another one', async () => {
    const { code, stderr } = await runMain(['ps'], { env: { DOCKER_HOST: 'unix:///nonexistent.sock' } });
    expect(code).toBe(1);
    expect(stderr).toContain('cannot connect to the engine at unix:///nonexistent.sock');
  });

  it('tells why it could not be started', async () => {
    const ensureEngine = () =>
      Promise.reject(new BerthError('unavailable', 'the engine did not start', { hint: 'see engine.log' }));
    const { code, stderr } = await runMain(['run', 'busybox'], {
      env: { BERTH_RUN_ROOT: '/nonexistent' },
      hosts: { ensureEngine },
    });
    expect(code).toBe(125);
    expect(stderr).toBe('berth: the engine did not start\n  hint: see engine.log\n');
  });
});

describe('doctor', () => {
  it('needs no engine, names what is missing, and fails only for what nothing works without', async () => {
    const capabilities = [
      { name: 'overlay', ok: true, detail: 'kernel 6.1' },
      { name: 'EROFS', ok: false, detail: 'not in this kernel', advice: 'layers are kept as folders' },
    ];
    const fit = await runMain(['doctor'], { hosts: { doctor: () => Promise.resolve(capabilities) } });
    expect(fit).toMatchObject({
      code: 0,
      stdout:
        'ok       overlay   kernel 6.1\nmissing  EROFS     not in this kernel\n                   layers are kept as folders\n',
    });
    const broken = [{ name: 'crun', ok: false, detail: 'not found', required: true }];
    expect((await runMain(['doctor'], { hosts: { doctor: () => Promise.resolve(broken) } })).code).toBe(1);
  });
});

describe('exit codes of a failed start', () => {
  it.each([
    [new BerthError('not-found', 'x'), 127],
    [new BerthError('forbidden', 'x'), 126],
    [new BerthError('invalid', 'exec: "x": executable file not found in $PATH'), 127],
    [new BerthError('invalid', 'exec: "/etc": permission denied: unknown'), 126],
    [new BerthError('internal', 'out of pids'), 125],
  ])('%s', (error, code) => {
    expect(startFailureCode(error)).toBe(code);
  });
});
