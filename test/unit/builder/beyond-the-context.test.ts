import { describe, expect, it } from 'vitest';
import { type BuildEvent, type BuildRequest, build } from '../../../src/builder/index.ts';
import { sha256 } from '../../../src/oci/index.ts';
import { FakeMachine } from '../../support/fakes-builder.ts';

const SECRET = 'hunter2-and-more';
const URL_OF_FILE = 'https://user:pw@example.com/dir/tool.tar?x=1';

function machineWith(web: Readonly<Record<string, string>> = {}): FakeMachine {
  const machine = new FakeMachine();
  machine.addImage('docker.io/library/base:latest', { 'etc/seed/a': 'seed' });
  machine.addContext('/context', { 'own.txt': 'own' });
  for (const [url, content] of Object.entries(web)) machine.web.set(url, content);
  return machine;
}

async function run(machine: FakeMachine, lines: string, request: Partial<BuildRequest> = {}) {
  const events: BuildEvent[] = [];
  const full: BuildRequest = {
    dockerfile: { name: 'Dockerfile', text: `FROM base\n${lines}\n` },
    context: { root: '/context', ignore: null },
    names: [],
    buildArgs: {},
    labels: {},
    noCache: false,
    platform: { os: 'linux', architecture: 'amd64' },
    network: 'default',
    ...request,
  };
  const options = {
    emit: (event: BuildEvent) => void events.push(event),
    signal: new AbortController().signal,
    now: () => 0,
  };
  const result = await build(full, machine.ports, options).catch(
    (error: Error & { kind: string; hint?: string }) => error,
  );
  return { result, events };
}

async function built(machine: FakeMachine, lines: string, request?: Partial<BuildRequest>) {
  const { result, events } = await run(machine, lines, request);
  if (result instanceof Error) throw result;
  return { files: machine.filesOf(result.config), config: result.config, events };
}

async function failed(machine: FakeMachine, lines: string, request?: Partial<BuildRequest>) {
  const { result } = await run(machine, lines, request);
  if (!(result instanceof Error)) throw new Error('the build did not fail');
  return result;
}

const isCached = (events: readonly BuildEvent[]) => events.some(({ type }) => type === 'vertex-cached');

describe('ADD of a URL', () => {
  it('puts the file into a directory by the name in the URL, or at the path', async () => {
    const machine = machineWith({ [URL_OF_FILE]: 'tool' });
    const { files } = await built(machine, `ADD ${URL_OF_FILE} /opt/\nADD ${URL_OF_FILE} /opt/renamed`);
    expect(files.get('opt/tool.tar')).toMatchObject({ content: 'tool', mode: 0o600, uid: 0, gid: 0 });
    expect(files.get('opt/renamed')).toMatchObject({ content: 'tool' });
    expect(machine.log.filter((line) => line.startsWith('fetch'))).toHaveLength(1);
  });

  it('takes --chown and --chmod, and unpacks only when it is told to', async () => {
    const machine = machineWith({ 'http://e/x.tgz': 'TAR inside' });
    const { files } = await built(
      machine,
      'ADD --chown=5:6 --chmod=644 http://e/x.tgz /d/\nADD --unpack http://e/x.tgz /u/',
    );
    expect(files.get('d/x.tgz')).toMatchObject({ mode: 0o644, uid: 5, gid: 6 });
    expect(files.get('u/inside')).toMatchObject({ content: 'unpacked' });
  });

  it('mixes with files of the context: the last one wins', async () => {
    const machine = machineWith({ 'http://e/own.txt': 'theirs' });
    const { files } = await built(machine, 'ADD own.txt http://e/own.txt /a/\nADD http://e/own.txt own.txt /b/');
    expect(files.get('a/own.txt')?.content).toBe('theirs');
    expect(files.get('b/own.txt')?.content).toBe('own');
  });

  it('asks again and fetches only a new version; what follows is cached while it is the same', async () => {
    const machine = machineWith({ 'http://e/f': 'one' });
    const lines = 'ADD http://e/f /f\nRUN make';
    await built(machine, lines);
    const again = await built(machine, lines);
    expect(machine.log.filter((line) => line === 'fetch http://e/f')).toHaveLength(1);
    expect(machine.steps).toHaveLength(1);
    expect(isCached(again.events)).toBe(true);
    machine.web.set('http://e/f', 'two');
    const { files } = await built(machine, lines);
    expect(files.get('f')?.content).toBe('two');
    expect(machine.steps).toHaveLength(2);
  });

  it('does not ask at all for what a checksum names and was fetched once', async () => {
    const machine = machineWith({ 'http://e/f': 'one' });
    const lines = `ADD --checksum=${sha256('one')} http://e/f /f`;
    await built(machine, lines);
    machine.web.clear();
    await built(machine, lines);
    expect(machine.log.filter((line) => line.startsWith('ask'))).toHaveLength(1);
  });

  it('refuses a file that is not what the checksum says', async () => {
    const error = await failed(machineWith({ 'http://e/f': 'other' }), `ADD --checksum=${sha256('one')} http://e/f /f`);
    expect(error.message).toContain(`is not what --checksum says: it has ${sha256('other')}`);
  });

  it('shows no password, in progress or history', async () => {
    const { events, config } = await built(machineWith({ [URL_OF_FILE]: 'tool' }), `ADD ${URL_OF_FILE} /opt/`);
    expect(JSON.stringify([events, config])).not.toContain('user:pw');
    expect(JSON.stringify(config.history)).toContain('https://xxxxx:xxxxx@example.com/dir/tool.tar');
  });
});

describe('ADD of a git repository', () => {
  it('copies its files; the same commit is fetched once', async () => {
    const machine = machineWith({ 'https://h/a.git': 'first commit' });
    const { files } = await built(machine, 'ADD https://h/a.git#main /src');
    await built(machine, 'ADD https://h/a.git#main /src');
    expect(files.get('src/README')?.content).toBe('first commit');
    expect(machine.log.filter((line) => line.startsWith('fetch'))).toEqual(['fetch https://h/a.git']);
  });

  it('refuses a branch that has moved on from the commit of --checksum', async () => {
    const error = await failed(machineWith({ 'https://h/a.git': 'x' }), 'ADD --checksum=abc https://h/a.git#main /src');
    expect(error.message).toMatch(/main of https:\/\/h\/a\.git is commit [0-9a-f]{40}, not abc/);
  });
});

describe('a cache mount', () => {
  it('opens the folder of its id, and gives it back', async () => {
    const machine = machineWith();
    await built(machine, 'WORKDIR /w\nRUN --mount=type=cache,target=c,ro make');
    expect(machine.steps[0]!.mounts).toEqual([{ type: 'bind', source: '/caches/c', target: '/w/c', readonly: true }]);
    expect(machine.log).toEqual(expect.arrayContaining(['open cache c', 'release cache c']));
  });

  it('begins with the files of from and source', async () => {
    const machine = machineWith();
    await built(machine, 'RUN --mount=type=cache,target=/c,from=base,source=/etc/seed make');
    const source = (machine.steps[0]!.mounts[0] as { source: string }).source;
    expect(machine.trees.get(source)!.get('a')?.content).toBe('seed');
  });

  it('does not count in the key by its name or sharing', async () => {
    const machine = machineWith();
    await built(machine, 'RUN --mount=type=cache,target=/c,id=one make');
    const again = await built(machine, 'RUN --mount=type=cache,target=/c,id=two,sharing=locked make');
    expect(isCached(again.events)).toBe(true);
  });
});

describe('a secret', () => {
  const secrets = new Map([['token', Buffer.from(SECRET)]]);

  it('is a file of the step, or a variable', async () => {
    const machine = machineWith();
    await built(machine, 'RUN --mount=type=secret,id=token,uid=7 --mount=type=secret,id=token,env=TOKEN make', {
      secrets,
    });
    const { mounts, env } = machine.steps[0]!;
    expect(mounts).toEqual([
      { type: 'file', target: '/run/secrets/token', content: Buffer.from(SECRET), mode: 0o400, uid: 7, gid: 0 },
    ]);
    expect(env).toContain(`TOKEN=${SECRET}`);
  });

  it('is in no event, record, history or key; another value is no miss', async () => {
    const machine = machineWith();
    const lines = 'RUN --mount=type=secret,id=token,env=TOKEN make';
    const first = await built(machine, lines, { secrets });
    const second = await built(machine, lines, { secrets: new Map([['token', Buffer.from('other')]]) });
    const told = JSON.stringify([first.events, first.config, [...machine.recordsByKey.values()]]);
    expect(told).not.toContain(SECRET);
    expect(isCached(second.events)).toBe(true);
  });

  it('that is missing is left out, or is an error when it is required', async () => {
    const machine = machineWith();
    await built(machine, 'RUN --mount=type=secret,id=token make');
    expect(machine.steps[0]!.mounts).toEqual([]);
    const error = await failed(machineWith(), 'RUN --mount=type=secret,id=token,required make');
    expect(error.message).toContain('the secret token is required');
    expect(error.hint).toContain('--secret id=token,src=FILE');
  });
});

describe('an SSH agent', () => {
  it('is a socket of the step, told by SSH_AUTH_SOCK', async () => {
    const machine = machineWith();
    await built(machine, 'RUN --mount=type=ssh git clone', { agents: new Map([['default', '/tmp/agent']]) });
    const { mounts, env } = machine.steps[0]!;
    const target = '/run/buildkit/ssh_agent.0';
    expect(mounts).toEqual([{ type: 'bind', source: '/agents/tmp/agent', target, readonly: false }]);
    expect(env).toContain(`SSH_AUTH_SOCK=${target}`);
  });

  it('that is required must be lent', async () => {
    const error = await failed(machineWith(), 'RUN --mount=type=ssh,required git clone');
    expect(error.hint).toContain('--ssh default');
  });
});

describe('rights beyond the sandbox', () => {
  it.each([
    ['--security=insecure', 'security.insecure'],
    ['--network=host', 'network.host'],
  ] as const)('RUN %s needs the consent of the caller, before anything runs', async (flag, entitlement) => {
    const machine = machineWith();
    const lines = `RUN first\nRUN ${flag} second`;
    const error = await failed(machine, lines);
    expect(error).toMatchObject({ kind: 'forbidden' });
    expect(error.hint).toContain(`--allow ${entitlement}`);
    expect(machine.steps).toEqual([]);
    await built(machine, lines, { allow: [entitlement] });
    expect(machine.steps.map(({ privileged }) => privileged)).toEqual([false, entitlement === 'security.insecure']);
  });

  it('RUN --device fails when it would run', async () => {
    const error = await failed(machineWith(), 'RUN --device=vendor.com/class=name ls');
    expect(error).toMatchObject({ kind: 'unsupported' });
    expect(error.message).toContain('RUN --device=vendor.com/class=name is not supported yet');
  });
});

describe('COPY --link', () => {
  const on = (base: string) => `RUN ${base}\nCOPY --link own.txt /a/`;

  it('is not made again when what is below it changes', async () => {
    const machine = machineWith();
    await built(machine, on('one'));
    const commits = machine.log.filter((line) => line === 'commit').length;
    machine.command = (_step, files) => {
      files.set('changed', { type: 'file', mode: 0o644, uid: 0, gid: 0, content: 'x' });
      return 0;
    };
    const { files, events } = await built(machine, on('two'));
    expect(machine.log.filter((line) => line === 'commit')).toHaveLength(commits + 1);
    expect([...files.keys()]).toEqual(expect.arrayContaining(['changed', 'a/own.txt']));
    expect(isCached(events)).toBe(true);
  });

  it('is made while what it goes on is still being made', async () => {
    const machine = machineWith();
    const { promise: committed, resolve } = Promise.withResolvers<void>();
    const { commit } = machine.ports.snapshots;
    Object.assign(machine.ports.snapshots, {
      commit: (...given: Parameters<typeof commit>) => commit(...given).finally(resolve),
    });
    machine.command = () => committed.then(() => 0);
    const { files } = await built(machine, 'RUN slow\nCOPY --link own.txt /a/');
    expect(files.has('a/own.txt')).toBe(true);
  });

  it('with --chmod, or an owner by name, is a copy onto the image', async () => {
    const machine = machineWith();
    await built(machine, 'COPY --link --chmod=644 own.txt /a/');
    expect(machine.log).not.toContain('restack');
  });
});
