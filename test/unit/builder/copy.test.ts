import { describe, expect, it } from 'vitest';
import { type BuildEvent, build } from '../../../src/builder/index.ts';
import { FakeMachine } from '../../support/fakes-builder.ts';

interface Options {
  readonly context?: Readonly<Record<string, string>>;
  readonly ignore?: string;
  /** Lines after `FROM base`. */
  readonly lines: string;
}

const BASE = { 'etc/passwd': 'me:x:500:600\n', 'etc/group': 'staff:x:50:\n', 'have/old': 'o', 'bin/tool': 't' };

async function copy({ context = {}, ignore, lines }: Options) {
  const machine = new FakeMachine();
  machine.addImage('docker.io/library/base:latest', BASE);
  machine.addContext('/context', context);
  const events: BuildEvent[] = [];
  const { config } = await build(
    {
      dockerfile: { name: 'Dockerfile', text: `FROM base\n${lines}\n` },
      context: { root: '/context', ignore: ignore === undefined ? null : { file: '.dockerignore', text: ignore } },
      names: [],
      buildArgs: {},
      labels: {},
      noCache: false,
      platform: { os: 'linux', architecture: 'amd64' },
      network: 'default',
    },
    machine.ports,
    { emit: (event) => void events.push(event), signal: new AbortController().signal, now: () => 0 },
  ).catch((error) => Promise.reject(Object.assign(error, { events })));
  const files = new Map(
    [...machine.filesOf(config)].filter(
      ([path]) => !Object.hasOwn(BASE, path) && !['etc', 'have', 'bin'].includes(path),
    ),
  );
  const paths = [...files].filter(([, entry]) => entry.type === 'file').map(([path]) => path);
  return { files, paths: paths.sort() };
}

async function refusal(options: Options) {
  const error = await copy(options).then(
    () => Promise.reject(new Error('it was copied')),
    (failure) => failure as Error & { kind: string; hint?: string; events: BuildEvent[] },
  );
  const findings = error.events.flatMap((event) => (event.type === 'diagnostic' ? [event.diagnostic] : []));
  return { error, findings };
}

const TREE = { 'a.txt': 'a', 'b.txt': 'b', 'src/x.ts': 'x', 'src/deep/y.ts': 'y', 'src/deep/z.md': 'z' };

describe('where COPY puts things', () => {
  it.each([
    ['COPY a.txt /new', ['new']],
    ['COPY a.txt /new/', ['new/a.txt']],
    ['COPY a.txt /have', ['have/a.txt']],
    ['COPY a.txt b.txt /d/', ['d/a.txt', 'd/b.txt']],
    ['COPY a.txt b.txt /have', ['have/a.txt', 'have/b.txt']],
    ['COPY src /d', ['d/deep/y.ts', 'd/deep/z.md', 'd/x.ts']],
    ['COPY src/ /d/', ['d/deep/y.ts', 'd/deep/z.md', 'd/x.ts']],
    ['COPY . /d', ['d/a.txt', 'd/b.txt', 'd/src/deep/y.ts', 'd/src/deep/z.md', 'd/src/x.ts']],
    ['COPY ../../a.txt /n', ['n']],
    ['COPY /src/x.ts /n', ['n']],
    ['COPY *.txt /d/', ['d/a.txt', 'd/b.txt']],
    ['COPY src/*/y.ts /d/', ['d/y.ts']],
    ['COPY s?c /d/', ['d/deep/y.ts', 'd/deep/z.md', 'd/x.ts']],
    ['COPY nothing* /d/', []],
    ['COPY ["a.txt", "/with space/"]', ['with space/a.txt']],
    ['WORKDIR /w\nCOPY a.txt b.txt .', ['w/a.txt', 'w/b.txt']],
    ['WORKDIR /w\nCOPY a.txt rel', ['w/rel']],
    ['WORKDIR /w\nCOPY a.txt sub/', ['w/sub/a.txt']],
    ['ENV F=a.txt D=/d\nCOPY $F $D/', ['d/a.txt']],
    ['COPY --parents src/deep/y.ts /d/', ['d/src/deep/y.ts']],
    ['COPY --parents src/./deep/y.ts /d/', ['d/deep/y.ts']],
    ['COPY --parents **/*.ts /d/', ['d/src/deep/y.ts', 'd/src/x.ts']],
    ['COPY --exclude=deep src /d', ['d/x.ts']],
    ['COPY --exclude=**/*.md --exclude=x.ts src /d', ['d/deep/y.ts']],
    ['COPY --exclude=a.* *.txt /d/', ['d/b.txt']],
    ['COPY --from=base /bin/tool /t', ['t']],
    ['COPY --link a.txt /l/', ['l/a.txt']],
  ])('%s', async (lines, paths) => {
    expect((await copy({ context: TREE, lines })).paths).toEqual(paths);
  });
});

describe('what copied files are like', () => {
  it('belong to root when they come from the context, and keep their owner when they come from an image', async () => {
    const { files } = await copy({ context: TREE, lines: 'COPY a.txt /a' });
    expect(files.get('a')).toMatchObject({ uid: 0, gid: 0, mode: 0o644 });
  });

  it.each([
    ['--chown=1000', 1000, 1000],
    ['--chown=1:2', 1, 2],
    ['--chown=me', 500, 500],
    ['--chown=me:staff', 500, 50],
    ['--chown=:staff', 0, 50],
  ])('%s gives %i:%i, also to folders that have to be made', async (flag, uid, gid) => {
    const { files } = await copy({ context: TREE, lines: `COPY ${flag} a.txt /n/a` });
    expect(files.get('n/a')).toMatchObject({ uid, gid });
    expect(files.get('n')).toMatchObject({ uid, gid });
  });

  it('have the mode of --chmod, in numbers or in letters', async () => {
    const { files } = await copy({ context: TREE, lines: 'COPY --chmod=755 a.txt /a\nCOPY --chmod=u=rwX,go= src /s' });
    expect(files.get('a')).toMatchObject({ mode: 0o755 });
    expect(files.get('s/x.ts')).toMatchObject({ mode: 0o600 });
    expect(files.get('s/deep')).toMatchObject({ mode: 0o700 });
  });

  it('come from heredocs: named, expanded unless quoted, without leading tabs when asked', async () => {
    const { files } = await copy({ lines: 'ENV V=1\nCOPY --chmod=700 <<A <<"B" <<-C /d/\n$V\nA\n$V\nB\n\t\tc\nC' });
    expect([...files].map(([path, { content, mode }]) => [path, content, mode])).toEqual([
      ['d', '', 0o755],
      ['d/A', '1\n', 0o700],
      ['d/B', '$V\n', 0o700],
      ['d/C', 'c\n', 0o700],
    ]);
  });

  it('are unpacked by ADD, unless told not to, and never by COPY', async () => {
    const context = { 'x.tar': 'TAR inner' };
    expect((await copy({ context, lines: 'ADD x.tar /d' })).paths).toEqual(['d/inner']);
    expect((await copy({ context, lines: 'ADD --unpack=false x.tar /d' })).paths).toEqual(['d']);
    expect((await copy({ context, lines: 'COPY x.tar /d' })).paths).toEqual(['d']);
  });

  it('WORKDIR makes a folder that belongs to the user', async () => {
    const { files } = await copy({ lines: 'USER me\nWORKDIR /w' });
    expect(files.get('w')).toMatchObject({ type: 'directory', uid: 500, gid: 500, mode: 0o755 });
  });
});

describe('the ignore file', () => {
  it('hides files, also from patterns and whole folders', async () => {
    const options = { context: TREE, ignore: '**/*.md\nb.txt\n' };
    expect((await copy({ ...options, lines: 'COPY . /d' })).paths).toEqual([
      'd/a.txt',
      'd/src/deep/y.ts',
      'd/src/x.ts',
    ]);
    expect((await copy({ ...options, lines: 'COPY *.txt /d/' })).paths).toEqual(['d/a.txt']);
  });

  it('lets exceptions show a file below a hidden folder', async () => {
    const { paths } = await copy({ context: TREE, ignore: 'src\n!src/deep/y.ts\n', lines: 'COPY src /d' });
    expect(paths).toEqual(['d/deep/y.ts']);
  });

  it('is named, with its line, when it hides a source', async () => {
    const { error, findings } = await refusal({ context: TREE, ignore: '# c\n*.txt\n', lines: 'COPY src a.txt /d/' });
    expect(error.message).toBe('Dockerfile:2: a.txt is hidden from the build by .dockerignore:2 (*.txt)');
    expect(findings[0]).toMatchObject({ code: 'build/source-not-found', span: { start: { line: 2, column: 10 } } });
  });

  it('stops the build when it cannot be read: more would be copied than was meant', async () => {
    const { error } = await refusal({ context: TREE, ignore: 'a[', lines: 'COPY . /' });
    expect(error).toMatchObject({ kind: 'invalid', message: expect.stringContaining('.dockerignore:1') });
  });
});

describe('a COPY that cannot be', () => {
  it.each([
    ['COPY sr/x.ts /d', 'did you mean src/x.ts?'],
    ['COPY a.tx /d', 'did you mean a.txt?'],
    ['COPY y.ts /d', 'did you mean src/deep/y.ts?'],
    ['COPY quite-another-thing /d', undefined],
    ['COPY --from=base /bin/tol /d', 'did you mean bin/tool?'],
  ])('%s tells what comes near', async (lines, hint) => {
    const { error } = await refusal({ context: TREE, lines });
    expect(error).toMatchObject({ kind: 'not-found', hint });
  });

  it('is told before any command runs', async () => {
    const { error, findings } = await refusal({ context: TREE, lines: 'RUN long\nCOPY missing /d' });
    expect(error.message).toBe('Dockerfile:3: missing is not in the build context');
    expect(findings).toHaveLength(1);
    expect(error.events.some((event) => event.type === 'vertex-missed')).toBe(false);
  });

  it.each([
    ['COPY a.txt b.txt /n', 'write /n/', 'build/bad-destination'],
    ['COPY src /have/old', 'directory', 'build/step-failed'],
    ['COPY --chown=nobody a.txt /a', '/etc/passwd', 'build/step-failed'],
  ])('%s is refused', async (lines, part, code) => {
    const { error, findings } = await refusal({ context: TREE, lines });
    expect(`${error.message} ${error.hint}`).toContain(part);
    expect(findings).toMatchObject([{ code, span: { start: { line: 2 } } }]);
  });
});
