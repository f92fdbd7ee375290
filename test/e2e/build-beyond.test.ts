import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { command, Host, until } from '../support/host.ts';

const host = new Host();
let context: string;

beforeAll(() => host.importBase('busybox'));
afterAll(() => host.dispose());
beforeEach(() => {
  context = mkdtempSync('/tmp/berth-beyond-');
  return () => rmSync(context, { recursive: true, force: true });
});

async function build(
  lines: readonly string[],
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  base = 'busybox',
) {
  writeFileSync(join(context, 'Dockerfile'), [`FROM ${base}`, ...lines, ''].join('\n'));
  const { code, stdout, stderr } = await host.berth(
    ['build', '--progress', 'plain', '-t', 'beyond', ...args, context],
    {
      env,
    },
  );
  return { code, text: `${stdout}${stderr}` };
}

async function built(...given: Parameters<typeof build>): Promise<string> {
  const { code, text } = await build(...given);
  expect(code, text).toBe(0);
  return text;
}

const inImage = (script: string) => host.ok(['run', '--rm', '--network', 'none', 'beyond', 'sh', '-c', script]);

/** Files of the engine that hold a text. */
async function holding(text: string): Promise<string> {
  return (await command('grep', ['-rlF', text, host.root, host.runRoot])).stdout;
}

describe('a cache mount', () => {
  it('survives builds, is not in the image, and has the owner and mode that it was given', async () => {
    const lines = [
      'RUN --mount=type=cache,target=/c,uid=33,gid=33,mode=0700 ls -ld /c >/how; echo x >>/c/log; cp /c/log /seen',
    ];
    await built(lines);
    await built(lines, ['--no-cache']);
    expect(await inImage('cat /seen /how; ls / | grep -c "^c$" || true')).toMatch(
      /^x\nx\ndrwx------ +2 www-data +www-data .*\n0\n$/,
    );
  });

  it('begins with what from and source hold', async () => {
    await built([
      'RUN mkdir /seed && echo first >/seed/a',
      'FROM busybox',
      'RUN --mount=type=cache,target=/c,id=seeded,from=0,source=/seed cat /c/a >/seen; echo more >>/c/a',
    ]);
    expect(await inImage('cat /seen')).toBe('first\n');
  });

  it('that is locked is used by one step at a time; private ones are two folders', async () => {
    const stage = (name: string, sharing: string) => [
      `FROM busybox AS ${name}`,
      `RUN --mount=type=cache,target=/c,id=${sharing},sharing=${sharing} test ! -e /c/busy && touch /c/busy && sleep 0.3 && rm /c/busy && echo ${name} >/ok`,
    ];
    for (const sharing of ['locked', 'private']) {
      await built([
        ...stage('one', sharing),
        ...stage('two', sharing),
        'FROM busybox',
        'COPY --from=one /ok /one',
        'COPY --from=two /ok /two',
      ]);
      expect(await inImage('cat /one /two')).toBe('one\ntwo\n');
    }
  });
});

describe('a secret', () => {
  const secret = `s3cret-${process.pid}-in-no-file`;
  // The value itself is never printed: only its digest leaves the step.
  const lines = [
    'RUN --mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN sh -c \'stat -c "%a %u" /run/secrets/token >/how; cat /run/secrets/token | md5sum >/sum; printf %s "$TOKEN" | md5sum >>/sum\'',
  ];

  it.each([
    ['a file', ['--secret', 'id=token,src=token.txt'], {}],
    ['a variable', ['--secret', 'id=token,env=MY_TOKEN'], { MY_TOKEN: secret }],
    ['the variable of its name', ['--secret', 'id=token'], { token: secret }],
  ])('comes from %s, reaches the step, and nothing of it is kept or told', async (_what, args, env) => {
    writeFileSync(join(context, 'token.txt'), secret);
    const flags = args.map((arg) => arg.replace('token.txt', join(context, 'token.txt')));
    const text = await built(lines, ['--no-cache', ...flags], env);
    const sum = execFileSync('md5sum', { input: secret, encoding: 'utf8' });
    expect(await inImage('cat /how /sum; test -e /run || echo gone')).toBe(`400 0\n${sum}${sum}gone\n`);
    expect(text).not.toContain(secret);
    expect(await holding(secret)).toBe('');
  });

  it('that is not given is left out, or named when it is required', async () => {
    await built(['RUN --mount=type=secret,id=nothing test ! -e /run/secrets/nothing']);
    const { code, text } = await build(['RUN --mount=type=secret,id=nothing,required true']);
    expect(code).toBe(1);
    expect(text).toContain('the secret nothing is required');
    expect(text).toContain('--secret id=nothing,src=FILE');
  });
});

describe('an SSH agent', () => {
  const CALL_AGENT = '$s = IO::Socket::UNIX->new($ENV{SSH_AUTH_SOCK}) or die $!; print $s "hi"; print <$s>';
  beforeAll(() => host.importBase('debian'));

  it('answers in the step by its own socket, also for another user', async () => {
    const path = join(context, 'agent.sock');
    const agent = createNetServer((socket) => socket.on('data', () => socket.end('agent says hello'))).listen(path);
    try {
      await built(
        [
          'USER www-data',
          `RUN --mount=type=ssh,uid=33 perl -MIO::Socket::UNIX -e '${CALL_AGENT}' >/tmp/said && stat -c "%a %u" "$SSH_AUTH_SOCK" >/tmp/how`,
        ],
        ['--ssh', 'default'],
        { SSH_AUTH_SOCK: path },
        'debian',
      );
    } finally {
      agent.close();
    }
    expect(await inImage('cat /tmp/said /tmp/how')).toBe('agent says hello600 33\n');
  });
});

describe('ADD of a URL', () => {
  const archive = () => {
    mkdirSync(join(context, 'packed'), { recursive: true });
    writeFileSync(join(context, 'packed/inside.txt'), 'inside');
    return gzipSync(execFileSync('tar', ['-c', '-C', join(context, 'packed'), 'inside.txt']));
  };
  const asked: string[] = [];
  const pages: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
    '/files/tool': (_request, response) =>
      response.writeHead(200, { ETag: '"1"', 'Last-Modified': 'Wed, 01 Jan 2020 00:00:00 GMT' }).end('tool'),
    '/moved': (_request, response) => response.writeHead(302, { Location: '/files/tool' }).end(),
    '/loop': (_request, response) => response.writeHead(302, { Location: '/loop' }).end(),
    '/to-file': (_request, response) => response.writeHead(302, { Location: 'file:///etc/passwd' }).end(),
    '/to-metadata': (_request, response) =>
      response.writeHead(302, { Location: 'http://169.254.169.254/latest' }).end(),
    '/huge': (_request, response) => response.writeHead(200, { 'Content-Length': '1000000000000000' }).end('x'),
    '/cut': (_request, response) =>
      response.writeHead(200, { 'Content-Length': '100' }).write('x', () => response.destroy()),
    '/a.tgz': (_request, response) => response.end(archive()),
    '/private': (request, response) =>
      response.writeHead(request.headers.authorization === 'Bearer let-me-in' ? 200 : 401).end('private'),
    '/elsewhere': (_request, response) =>
      response.writeHead(302, { Location: `${origin.replace('127.0.0.1', 'localhost')}/private` }).end(),
    '/Dockerfile': (_request, response) => response.end('FROM busybox\nRUN echo from-a-url >/told\n'),
  };
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url!);
      const page = pages[request.url!.split('?')[0]!];
      if (page) page(request, response);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it('has mode 0600, the time that the server tells, and its name', async () => {
    await built([`ADD ${origin}/files/tool?x=1 /opt/`, `ADD --chmod=755 --chown=33:33 ${origin}/moved /opt/moved`]);
    const seen = await inImage("stat -c '%n %a %u %Y' /opt/tool /opt/moved; cat /opt/tool");
    expect(seen).toBe('/opt/tool 600 0 1577836800\n/opt/moved 755 33 1577836800\ntool');
  });

  it('unpacks only when told to', async () => {
    await built([`ADD ${origin}/a.tgz /plain/`, `ADD --unpack=true ${origin}/a.tgz?again /open/`]);
    expect(await inImage('ls /plain /open')).toBe('/open:\ninside.txt\n\n/plain:\na.tgz\n');
  });

  it('is cached while the server tells of the same version, and not asked for when a checksum names it', async () => {
    const lines = [`ADD ${origin}/files/tool?cached /t`, 'RUN echo once'];
    await built(lines);
    expect(await built(lines)).toMatch(/RUN echo once\n#\d+ CACHED/);
    const sum = createHash('sha256').update('tool').digest('hex');
    const pinned = [`ADD --checksum=sha256:${sum} ${origin}/files/tool?pinned /t`];
    await built(pinned);
    await built(pinned);
    expect(asked.filter((url) => url.endsWith('?pinned'))).toHaveLength(1);
  });

  it.each([
    ['/loop', /redirects more than 10 times/],
    ['/to-file', /redirects to file:\/\/\/etc\/passwd, which is not on the web/],
    ['/to-metadata', /169\.254\.169\.254 leads to a link-local address/],
    ['/huge', /is larger than the .* that are free on the disk/],
    ['/cut', /cannot be read: aborted/],
    ['/nothing', /the server answers 404/],
  ])('%s is refused, and leaves nothing', async (path, message) => {
    const { code, text } = await build([`ADD ${origin}${path} /f`]);
    expect(code).toBe(1);
    expect(text).toMatch(message);
    expect(text).toContain('Dockerfile:2');
  });

  it('takes a token that is a secret, for its own host only', async () => {
    const secret = ['--secret', `id=HTTP_AUTH_TOKEN_${new URL(origin).host},env=TOKEN`];
    const env = { TOKEN: 'let-me-in' };
    await built([`ADD ${origin}/private /private`], secret, env);
    expect(await inImage('cat /private')).toBe('private');
    expect((await build([`ADD ${origin}/private?again /private`])).text).toContain('the server answers 401');
    expect((await build([`ADD ${origin}/elsewhere /private`], secret, env)).text).toContain('the server answers 401');
    expect(await holding('let-me-in')).toBe('');
  });

  it('is a build context, too: an archive, or the Dockerfile itself', async () => {
    await host.ok(['build', '-t', 'beyond', '-f', '-', `${origin}/a.tgz`], {
      input: 'FROM busybox\nCOPY inside.txt /copied\n',
    });
    expect(await inImage('cat /copied')).toBe('inside');
    await host.ok(['build', '-t', 'beyond', `${origin}/Dockerfile`]);
    expect(await inImage('cat /told')).toBe('from-a-url\n');
  });

  it('refuses another file than the checksum names', async () => {
    const { text } = await build([`ADD --checksum=sha256:${'0'.repeat(64)} ${origin}/files/tool /f`]);
    expect(text).toMatch(/is not what --checksum says: it has sha256:[0-9a-f]{64}/);
  });
});

describe('ADD of a git repository', () => {
  let repositories: string;
  let port: number;
  let daemon: ReturnType<typeof spawn>;
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', join(repositories, 'a.git'), '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      encoding: 'utf8',
    }).trim();

  beforeAll(async () => {
    repositories = mkdtempSync('/tmp/berth-git-');
    const work = join(repositories, 'a.git');
    mkdirSync(join(work, 'sub'), { recursive: true });
    writeFileSync(join(work, 'sub/file'), 'in sub\n');
    writeFileSync(join(work, 'README'), 'one\n');
    execFileSync('git', ['init', '--quiet', '-b', 'main', work]);
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
    git('tag', '-a', 'v1', '-m', 'v1');
    writeFileSync(join(work, 'README'), 'two\n');
    execFileSync('ln', ['-s', '/etc/passwd', join(work, 'link')]);
    git('add', '.');
    git('commit', '--quiet', '-m', 'two');
    const probe = createNetServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    port = (probe.address() as AddressInfo).port;
    await new Promise((resolve) => probe.close(resolve));
    const args = ['daemon', '--export-all', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${repositories}`];
    daemon = spawn('git', args, { stdio: 'ignore', detached: true });
    await until(() => isOpen(port));
  });
  afterAll(() => {
    process.kill(-daemon.pid!, 'SIGKILL');
    rmSync(repositories, { recursive: true, force: true });
  });

  it('takes branches, tags, commits and folders; links stay links; .git only when asked for', async () => {
    const remote = `git://127.0.0.1:${port}/a.git`;
    const first = git('rev-parse', 'HEAD~1');
    await built([
      `ADD ${remote} /head`,
      `ADD ${remote}#v1 /tag`,
      `ADD ${remote}#${first}:sub /sub`,
      `ADD --keep-git-dir --checksum=${first} ${remote}#v1 /kept`,
    ]);
    const script =
      'cat /head/README /tag/README /sub/file; readlink /head/link; ls -a /head /sub | grep -c "^.git$"; ls -a /kept | grep "^.git$"; stat -c %a /head/README';
    expect(await inImage(script)).toBe('two\none\nin sub\n/etc/passwd\n0\n.git\n644\n');
  });

  it('is a build context, too, read through its .dockerignore', async () => {
    writeFileSync(join(repositories, 'a.git/sub/Dockerfile'), 'FROM busybox\nCOPY . /all\n');
    writeFileSync(join(repositories, 'a.git/sub/.dockerignore'), 'hidden\n');
    writeFileSync(join(repositories, 'a.git/sub/hidden'), '');
    git('checkout', '--quiet', '-b', 'context');
    git('add', '.');
    git('commit', '--quiet', '-m', 'context');
    git('checkout', '--quiet', 'main');
    const url = `git://127.0.0.1:${port}/a.git#context:sub`;
    await host.ok(['build', '-t', 'beyond', url]);
    expect(await inImage('ls -A /all')).toBe('.dockerignore\nDockerfile\nfile\n');
    await host.ok(['build', '-t', 'beyond', '-f', '-', url], { input: 'FROM busybox\nCOPY file /other\n' });
    expect(await inImage('cat /other')).toBe('in sub\n');
  });

  it.each([
    ['git://127.0.0.1:PORT/a.git#--upload-pack=touch', /is not the name of a branch/],
    ['git://127.0.0.1:PORT/a.git#main:../..', /has no folder|README|two/],
    ['git://127.0.0.1:PORT/a.git#nowhere', /has no branch or tag nowhere/],
    ['git@-oProxyCommand=touch:x/y.git', /is not|not in the build context/],
  ])('%s is refused, or stays inside', async (source, message) => {
    const { text } = await build([`ADD ${source.replace('PORT', String(port))} /f`, 'RUN cat /f/README']);
    expect(text).toMatch(message);
    expect(text).not.toContain('root:x:0');
  });
});

describe('COPY --link', () => {
  it('stays cached on another base, merges with its folders, and has the same layer', async () => {
    writeFileSync(join(context, 'own'), 'own');
    const lines = (base: string) => [
      `RUN mkdir -p /opt && echo ${base} >/opt/base`,
      'COPY --link own /opt/',
      'RUN ls /opt',
    ];
    const layerOf = async () =>
      JSON.parse(await host.ok(['image', 'inspect', '--format', '{{json .RootFS.Layers}}', 'beyond'])).at(-2);
    await built(lines('one'));
    const first = await layerOf();
    expect(await built(lines('two'))).toMatch(/#(\d+) \[.*COPY --link own \/opt\/\n.*^#\1 CACHED/ms);
    expect(await layerOf()).toBe(first);
    expect(await inImage('cat /opt/base /opt/own')).toBe('two\nown');
  });
});

describe('a tar context', () => {
  it('is read through its .dockerignore', async () => {
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY . /all\n');
    writeFileSync(join(context, '.dockerignore'), 'hidden\n');
    writeFileSync(join(context, 'hidden'), '');
    writeFileSync(join(context, 'shown'), '');
    const tar = execFileSync('tar', ['-c', '-C', context, '.']);
    await host.ok(['build', '-t', 'beyond', '-'], { input: tar });
    expect(await inImage('ls -A /all')).toBe('.dockerignore\nDockerfile\nshown\n');
  });
});

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
