import { describe, expect, it } from 'vitest';
import { type BuildEvent, type BuildRequest, build, createSolver, type Solver } from '../../../src/builder/index.ts';
import { FakeMachine } from '../../support/fakes-builder.ts';

const CONTEXT = '/context';
const NAME = 'docker.io/library/app:latest';

interface Setup {
  readonly machine: FakeMachine;
  readonly dockerfile: string;
  readonly request?: Partial<BuildRequest>;
  readonly signal?: AbortSignal;
  readonly solver?: Solver;
  readonly now?: () => number;
}

async function run({ machine, dockerfile, request, signal, solver, now = () => 1_700_000_000_000 }: Setup) {
  const events: BuildEvent[] = [];
  const full: BuildRequest = {
    dockerfile: { name: 'Dockerfile', text: dockerfile },
    context: machine.trees.has(CONTEXT) ? { root: CONTEXT, ignore: null } : null,
    names: [NAME],
    buildArgs: {},
    labels: {},
    noCache: false,
    platform: { os: 'linux', architecture: 'amd64' },
    network: 'default',
    ...request,
  };
  const options = {
    emit: (event: BuildEvent) => void events.push(event),
    signal: signal ?? new AbortController().signal,
    now,
  };
  const outcome = build(full, machine.ports, { ...options, ...(solver ? { solver } : {}) });
  const result = await outcome.catch((error: Error) => error);
  return { result, events };
}

async function built(setup: Setup) {
  const { result, events } = await run(setup);
  if (result instanceof Error) throw result;
  const files = setup.machine.filesOf(result.config);
  return { ...result, events, files };
}

async function failed(setup: Setup) {
  const { result, events } = await run(setup);
  if (!(result instanceof Error)) throw new Error('the build did not fail');
  const findings = events.flatMap((event) => (event.type === 'diagnostic' ? [event] : []));
  return { error: result as Error & { kind: string; hint?: string }, events, findings };
}

function machineWith(files: Readonly<Record<string, string>> = {}) {
  const machine = new FakeMachine();
  machine.addImage('docker.io/library/base:latest', {
    'bin/sh': 'sh',
    'etc/passwd': 'root:x:0:0\nme:x:500:600\n',
    'etc/group': 'staff:x:50:\n',
  });
  machine.addContext(CONTEXT, files);
  return machine;
}

const ofType = <T extends BuildEvent['type']>(events: readonly BuildEvent[], type: T) =>
  events.filter((event): event is Extract<BuildEvent, { type: T }> => event.type === type);
const reasons = (events: readonly BuildEvent[]) => ofType(events, 'vertex-missed').map((event) => event.reason);

describe('a build', () => {
  it('runs commands as Docker does: shell, environment, user, folder, mounts none', async () => {
    const machine = machineWith();
    await built({
      machine,
      dockerfile: 'FROM base\nARG V=1\nENV A=$V\nUSER me\nWORKDIR /w\nRUN make $A\nRUN ["exec", "it"]\n',
      request: { buildArgs: { V: '2', http_proxy: 'http://p' } },
    });
    expect(machine.steps[0]).toMatchObject({
      argv: ['/bin/sh', '-c', 'make $A'],
      cwd: '/w',
      user: 'me',
      network: 'default',
      mounts: [],
    });
    expect(machine.steps[0]!.env).toEqual(
      expect.arrayContaining([
        'A=2',
        'V=2',
        'HTTP_PROXY=http://p',
        'http_proxy=http://p',
        expect.stringMatching(/^PATH=/),
      ]),
    );
    expect(machine.steps[1]!.argv).toEqual(['exec', 'it']);
  });

  it('writes history and times as BuildKit does', async () => {
    const machine = machineWith({ a: '1' });
    let clock = Date.UTC(2024, 0, 1);
    const { config } = await built({
      machine,
      dockerfile: 'FROM base\nENV A=1\nRUN one\nENV B=2\nCOPY a /a\nCMD ["x"]\n',
      now: () => (clock += 1000),
      request: { labels: { l: '1' } },
    });
    expect(config.history!.map((entry) => [entry.created_by, entry.empty_layer ?? false])).toEqual([
      ['ENV A=1', true],
      ['RUN /bin/sh -c one # buildkit', false],
      ['ENV B=2', true],
      ['COPY a /a # buildkit', false],
      ['CMD ["x"]', true],
    ]);
    const times = config.history!.map((entry) => entry.created);
    expect(times[0]).toBe(times[1]);
    expect(times[2]).toBe(times[1]);
    expect(times[4]).toBe(times[3]);
    expect(config.created).toBe(times[4]);
    expect(config.rootfs.diff_ids).toHaveLength(3);
    expect(config.config).toMatchObject({ Labels: { l: '1' }, Cmd: ['x'], ArgsEscaped: true });
  });

  it('takes all times from SOURCE_DATE_EPOCH: two machines make one image', async () => {
    const dockerfile = 'FROM base\nENV A=1\nRUN one\nCOPY <<X /x\nhi\nX\n';
    const [first, second] = await Promise.all(
      [1, 2].map((time) =>
        built({ machine: machineWith(), dockerfile, now: () => time, request: { sourceDateEpoch: 1_700_000_000 } }),
      ),
    );
    expect(first!.image).toBe(second!.image);
    expect(first!.config.created).toBe('2023-11-14T22:13:20Z');
  });

  it('writes layers before records, records before the image', async () => {
    const machine = machineWith();
    await built({ machine, dockerfile: 'FROM base\nRUN one\nRUN two\n' });
    expect(machine.log.indexOf('commit')).toBeLessThan(machine.log.indexOf('record'));
    expect(machine.log.lastIndexOf('record')).toBeLessThan(machine.log.indexOf('image'));
    expect(machine.stored.has(NAME)).toBe(true);
  });

  it('builds only what the target needs', async () => {
    const machine = machineWith();
    const dockerfile =
      'FROM base AS unused\nRUN never\nFROM base AS tool\nRUN tool\nFROM base AS app\nCOPY --from=tool /bin/sh /x\nFROM app\nRUN after\n';
    const { events } = await built({ machine, dockerfile, request: { target: 'app' } });
    expect(machine.steps.map((step) => step.argv.at(-1))).toEqual(['tool']);
    expect(ofType(events, 'started')[0]!.vertices.map(({ name, line }) => [name, line])).toEqual([
      ['[tool 1/2] FROM docker.io/library/base:latest', 3],
      ['[tool 2/2] RUN tool', 4],
      ['[app 2/2] COPY --from=tool /bin/sh /x', 6],
    ]);
  });

  it('runs independent stages together', async () => {
    const machine = machineWith();
    let waiting = 0;
    const { promise: all, resolve: open } = Promise.withResolvers<void>();
    machine.command = async ({ argv }, files) => {
      const name = argv.at(-1)!;
      if (++waiting === 3) open();
      await all;
      files.set(name, { type: 'file', mode: 0o644, uid: 0, gid: 0, content: name });
      return 0;
    };
    const stages = ['a', 'b', 'c'].map((name) => `FROM base AS ${name}\nRUN ${name}\n`).join('');
    const { files } = await built({
      machine,
      dockerfile: `${stages}FROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /\nCOPY --from=c /c /\n`,
    });
    expect([...files.keys()].sort()).toEqual(['a', 'b', 'c']);
  });

  it('runs ONBUILD triggers of a base image and of a base stage, once', async () => {
    const machine = machineWith();
    machine.addImage('docker.io/library/trigger:latest', {}, { config: { OnBuild: ['RUN from-image'] } });
    const { config } = await built({
      machine,
      dockerfile: 'FROM trigger AS one\nONBUILD RUN from-stage\nFROM one AS two\nFROM two\n',
    });
    expect(machine.steps.map((step) => step.argv.at(-1))).toEqual(['from-image', 'from-stage']);
    expect(config.config?.OnBuild).toBeUndefined();
  });

  it('gives a RUN heredoc to the shell, and a script with #! as a file', async () => {
    const machine = machineWith();
    const seen: string[] = [];
    machine.command = ({ argv, mounts }) => {
      seen.push(argv.at(-1)!);
      for (const mount of mounts) if (mount.type === 'bind') seen.push(`${mount.target} ${mount.readonly}`);
      return 0;
    };
    await built({
      machine,
      dockerfile: 'FROM base\nRUN <<E\necho hi\nE\nRUN <<S\n#!/bin/x\ncode\nS\nRUN cat <<A >/f\nb\nA\n',
    });
    expect(seen).toEqual(['echo hi\n', '/dev/pipes/S', '/dev/pipes true', 'cat <<A >/f\nb\nA']);
    expect(machine.open.size).toBe(0);
  });
});

describe('the cache', () => {
  const dockerfile = 'FROM base\nARG V=1\nWORKDIR /w\nCOPY src/ .\nRUN make\n';

  it('finds every step again, runs nothing and mounts nothing', async () => {
    const machine = machineWith({ 'src/a.ts': '1' });
    const before = await built({ machine, dockerfile });
    machine.steps.length = 0;
    machine.log.length = 0;
    const after = await built({ machine, dockerfile, now: () => 1_800_000_000_000 });
    expect(after.image).toBe(before.image);
    expect(machine.steps).toEqual([]);
    expect(machine.log).toEqual(['image']);
    expect(ofType(after.events, 'vertex-cached')).toHaveLength(3);
  });

  it.each([
    ['a changed file', { files: { 'src/a.ts': '2' } }, ['file src/a.ts changed', 'parent step changed']],
    ['an added file', { files: { 'src/a.ts': '1', 'src/b.ts': '' } }, ['file src/b.ts added', 'parent step changed']],
    ['a build argument', { request: { buildArgs: { V: '2' } } }, ['env V changed 1 -> 2']],
    ['a command', { dockerfile: dockerfile.replace('make', 'make all') }, ['command changed']],
    [
      '--no-cache',
      { request: { noCache: true } },
      ['the cache is not used', 'the cache is not used', 'the cache is not used'],
    ],
  ])(
    'says why it missed: %s',
    async (_what, change: {
      files?: Record<string, string>;
      request?: Partial<BuildRequest>;
      dockerfile?: string;
    }, expected) => {
      const machine = machineWith({ 'src/a.ts': '1' });
      machine.command = (_step, files) => {
        files.set('made', { type: 'file', mode: 0o644, uid: 0, gid: 0, content: 'same' });
        return 0;
      };
      const first = await built({ machine, dockerfile });
      expect(reasons(first.events)).toEqual(['never built before', 'never built before', 'never built before']);
      if (change.files) machine.addContext(CONTEXT, change.files);
      const { events } = await built({
        machine,
        dockerfile: change.dockerfile ?? dockerfile,
        ...(change.request ? { request: change.request } : {}),
      });
      expect(reasons(events)).toEqual(expected);
    },
  );

  it('goes on hitting after a step whose result came out the same', async () => {
    const machine = machineWith({});
    const text = (command: string) => `FROM base AS b\nRUN ${command}\nFROM base\nCOPY --from=b /bin/sh /s\nRUN last\n`;
    await built({ machine, dockerfile: text('one') });
    const { events } = await built({ machine, dockerfile: text('two') });
    expect(reasons(events)).toEqual(['command changed']);
  });

  it('compares COPY --from by content when the stage differs', async () => {
    const machine = machineWith({});
    machine.command = ({ argv }, files) => {
      files.set('extra', { type: 'file', mode: 0o644, uid: 0, gid: 0, content: argv.at(-1)! });
      return 0;
    };
    const text = (command: string) => `FROM base AS b\nRUN ${command}\nFROM base\nCOPY --from=b /bin/sh /s\n`;
    await built({ machine, dockerfile: text('one') });
    const second = await built({ machine, dockerfile: text('two') });
    expect(reasons(second.events)).toEqual(['command changed']);
    machine.log.length = 0;
    await built({ machine, dockerfile: text('two') });
    expect(machine.log).toEqual(['image']);
  });

  it('does not trust a record whose layer is gone', async () => {
    const machine = machineWith({});
    const { config } = await built({ machine, dockerfile: 'FROM base\nRUN one\n' });
    const top = [...machine.layers.keys()].at(-1)!;
    machine.layers.delete(top);
    const again = await built({ machine, dockerfile: 'FROM base\nRUN one\n' });
    expect(reasons(again.events)).toEqual(['its layer is no longer stored']);
    expect(again.config.rootfs).toEqual(config.rootfs);
  });

  it('does not take an image that claims to be a step', async () => {
    const machine = machineWith({});
    const base = machine.stored.get('docker.io/library/base:latest')!;
    machine.addImage(
      'docker.io/library/poison:latest',
      { evil: '1' },
      {
        ...base.config,
        history: [{ created_by: 'RUN /bin/sh -c one # buildkit' }],
      },
    );
    await built({ machine, dockerfile: 'FROM base\nRUN one\n' });
    expect(machine.steps).toHaveLength(1);
  });

  it('runs equal steps of two builds at once only once, and shows both their output', async () => {
    const machine = machineWith({});
    const solver = createSolver(4);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    machine.command = async ({ onOutput }) => {
      onOutput('stdout', Buffer.from('working\n'));
      await gate;
      return 0;
    };
    const builds = [1, 2].map(() => built({ machine, dockerfile: 'FROM base\nRUN slow\nRUN slow2\n', solver }));
    await new Promise((resolve) => setImmediate(resolve));
    open();
    const [a, b] = await Promise.all(builds);
    expect(machine.steps).toHaveLength(2);
    expect(a!.image).toBe(b!.image);
    expect(ofType(b!.events, 'vertex-log').map(({ text }) => text)).toEqual(['working\n', 'working\n']);
  });
});

describe('a failing build', () => {
  it('reports all mistakes of a Dockerfile and builds nothing', async () => {
    const machine = machineWith();
    const { error, findings } = await failed({ machine, dockerfile: 'FROM base\nRNU x\nSTOPSIGNAL NOPE\nEXPOSE 1x\n' });
    expect(error).toMatchObject({ kind: 'invalid' });
    expect(error.message).toMatch(/^Dockerfile:2: .*RNU/);
    expect(findings[0]!.frame).toContain('> 2 | RNU x');
    expect(machine.steps).toEqual([]);
  });

  it('names the nearest image when the base is missing', async () => {
    const { error, findings } = await failed({ machine: machineWith(), dockerfile: '\nFROM bsae\n' });
    expect(error).toMatchObject({ kind: 'not-found', hint: 'did you mean base:latest?' });
    expect(error.message).toBe('Dockerfile:2: the base image bsae:latest is not in the store');
    expect(findings[0]!.diagnostic.span.start).toMatchObject({ line: 2, column: 6 });
  });

  it('tells a failing RUN with its line, exit code and last output, and discards its root', async () => {
    const machine = machineWith();
    machine.command = ({ onOutput }) => {
      onOutput('stderr', Buffer.from('sh: mkae: not found\n'));
      return 127;
    };
    const { error, events, findings } = await failed({ machine, dockerfile: 'FROM base\nRUN mkae\nRUN next\n' });
    expect(error.message).toBe('Dockerfile:2: RUN mkae failed with exit code 127\nlast output:\n  sh: mkae: not found');
    expect(error.hint).toMatch(/not found/);
    expect(findings.map(({ diagnostic }) => diagnostic.code)).toEqual(['build/run-failed']);
    expect(ofType(events, 'vertex-failed')).toHaveLength(1);
    expect(machine.open.size).toBe(0);
    expect(machine.recordsByKey.size).toBe(0);
  });

  it('stops its other branches, and waits until they are gone', async () => {
    const machine = machineWith();
    let stopped = false;
    machine.command = ({ argv, signal }) => {
      if (argv.at(-1) === 'bad') return 1;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          stopped = true;
          reject(signal.reason);
        });
      });
    };
    const dockerfile =
      'FROM base AS a\nRUN slow\nFROM base AS b\nRUN bad\nFROM scratch\nCOPY --from=a / /\nCOPY --from=b / /\n';
    const { error } = await failed({ machine, dockerfile });
    expect(error.message).toContain('RUN bad failed');
    expect([stopped, machine.open.size]).toEqual([true, 0]);
  });

  it('is cancelled by its signal: the step stops and its root is gone', async () => {
    const machine = machineWith();
    const controller = new AbortController();
    machine.command = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        controller.abort();
      });
    const { error } = await failed({ machine, dockerfile: 'FROM base\nRUN slow\n', signal: controller.signal });
    expect(error).toMatchObject({ kind: 'cancelled' });
    expect(machine.open.size).toBe(0);
    expect(machine.stored.has(NAME)).toBe(false);
  });

  it('leaves a shared step running for the other build when one is cancelled', async () => {
    const machine = machineWith();
    const solver = createSolver(4);
    const controller = new AbortController();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    machine.command = async () => {
      begin();
      await gate;
      return 0;
    };
    const dockerfile = 'FROM base\nRUN slow\n';
    const first = failed({ machine, dockerfile, solver, signal: controller.signal });
    const second = built({ machine, dockerfile, solver });
    await begun;
    controller.abort();
    expect((await first).error).toMatchObject({ kind: 'cancelled' });
    open();
    expect((await second).image).toMatch(/^sha256:/);
    expect(machine.steps).toHaveLength(1);
  });

  it('refuses another front end, in the file or by BUILDKIT_SYNTAX, which overrules the file', async () => {
    const other = '# syntax=example.com/my/frontend:1\nFROM base\n';
    const machine = machineWith();
    expect((await failed({ machine, dockerfile: other })).error).toMatchObject({ kind: 'unsupported' });
    const request = { buildArgs: { BUILDKIT_SYNTAX: 'example.com/my/frontend:1' } };
    const { error } = await failed({ machine, dockerfile: 'FROM base\n', request });
    expect(error).toMatchObject({ kind: 'unsupported' });
    expect(error.message).toContain('BUILDKIT_SYNTAX');
    await built({ machine, dockerfile: other, request: { buildArgs: { BUILDKIT_SYNTAX: 'docker/dockerfile:1.7' } } });
  });
});
