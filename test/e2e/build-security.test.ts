import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Host } from '../support/host.ts';

const CANARY = 'canary-of-the-host';
const host = new Host();
/** A folder of the host that no build may see or change. */
let canary: string;
let context: string;

beforeAll(() => host.importBase('busybox'));
afterAll(() => host.dispose());
beforeEach(() => {
  canary = mkdtempSync('/tmp/berth-canary-');
  mkdirSync(join(canary, 'b/c'), { recursive: true });
  writeFileSync(join(canary, 'secret'), CANARY);
  context = mkdtempSync('/tmp/berth-hostile-');
  return () => {
    for (const folder of [canary, context]) rmSync(folder, { recursive: true, force: true });
  };
});

async function build(lines: readonly string[], args: readonly string[] = []) {
  writeFileSync(join(context, 'Dockerfile'), ['FROM busybox AS base', ...lines, ''].join('\n'));
  const all = ['build', '--progress', 'plain', '--no-cache', '-t', 'hostile', ...args, context];
  const { code, stdout, stderr } = await host.berth(all);
  const text = `${stdout}${stderr}`;
  expect(text).not.toContain(CANARY);
  expectUntouched();
  return { code, text };
}

function expectUntouched(): void {
  expect(readdirSync(canary).sort()).toEqual(['b', 'secret']);
  expect(readdirSync(join(canary, 'b'))).toEqual(['c']);
  expect(readFileSync(join(canary, 'secret'), 'utf8')).toBe(CANARY);
}

describe('mounts of hostile images', () => {
  const show = 'cat /m/secret /m 2>&1; echo over >/m/secret; true';

  it.each([
    ['absolute', () => canary],
    ['climbing', () => `../../../../../../../..${canary}`],
  ])('a bind source that is a link out of its stage (%s) is looked for inside', async (_what, target) => {
    const { code, text } = await build([
      `RUN ln -s ${target()} /link`,
      'FROM busybox',
      `RUN --mount=type=bind,from=base,source=/link,target=/m,rw ${show}`,
    ]);
    expect(code).toBe(1);
    expect(text).toContain('is not in what it mounts from');
  });

  it('a link that turns up inside a mounted tree leads nowhere else', async () => {
    const { code } = await build([
      `RUN mkdir -p ${canary} /d && echo mine >${canary}/secret && ln -s ${canary} /d/link`,
      'FROM busybox',
      'RUN --mount=type=bind,from=base,source=/d/link,target=/m test "$(cat /m/secret)" = mine',
    ]);
    expect(code).toBe(0);
  });

  it('first content of a cache is found inside its stage', async () => {
    const { code, text } = await build([
      `RUN ln -s ${canary} /link`,
      'FROM busybox',
      `RUN --mount=type=cache,from=base,source=/link,target=/m ${show}`,
    ]);
    expect(code).toBe(1);
    expect(text).toContain('the first content of the cache at /m, is not there');
  });

  it('a link that an earlier step left in a cache is no way out for a mount below it', async () => {
    await build([`RUN --mount=type=cache,target=/m,id=trap ln -sfn ${canary} /m/sub`]);
    await build([
      'RUN --mount=type=cache,target=/m,id=trap --mount=type=cache,target=/m/sub,id=inner echo over >/m/sub/secret; cat /m/sub/secret; true',
    ]);
    await build(['RUN --mount=type=cache,target=/m,id=trap --mount=type=tmpfs,target=/m/sub/b/c true; true']);
  });

  it('a cache that two steps use at once cannot be swapped for a link', async () => {
    const swap = `i=0; while [ $i -lt 200 ]; do ln -sfn ${canary} /m/x 2>/dev/null; rm -rf /m/x; mkdir -p /m/x; i=$((i+1)); done; true`;
    await build([
      `RUN --mount=type=cache,target=/m,id=swap ${swap}`,
      'FROM busybox AS other',
      'RUN --mount=type=cache,target=/m,id=swap --mount=type=tmpfs,target=/m/x echo over >/m/x/secret; cat /m/x/secret; true',
      'FROM busybox',
      'COPY --from=base /bin/sh /one',
      'COPY --from=other /bin/sh /two',
    ]);
  });

  it('a target below a link of the image stays inside the image', async () => {
    writeFileSync(join(context, 'token'), 'given');
    await build(
      [
        `RUN ln -s ${canary} /link`,
        'RUN --mount=type=secret,id=t,target=/link/secret --mount=type=tmpfs,target=/link/b/c --mount=type=cache,target=/link/new true',
      ],
      ['--secret', `id=t,src=${join(context, 'token')}`],
    );
  });
});

describe('mount points that a step puts something else in place of', () => {
  it('are not followed when they are removed after the step', async () => {
    const { code } = await build([
      `RUN --mount=type=tmpfs,target=/a/b/c mv /a /moved && ln -s ${canary} /a`,
      `RUN --mount=type=cache,target=/x/b/c mv /x /moved2 && ln -s ${canary} /x`,
    ]);
    expect(code).toBe(0);
    expect(existsSync(join(canary, 'b/c'))).toBe(true);
  });
});

describe('rights', () => {
  it.each([
    ['--security=insecure', 'security.insecure'],
    ['--network=host', 'network.host'],
  ])('RUN %s is refused before anything runs, unless the caller allowed it', async (flag, entitlement) => {
    const lines = ['RUN echo ran-before', `RUN ${flag} echo ran`];
    const { code, text } = await build(lines);
    expect(code).toBe(1);
    expect(text).toContain(`--allow ${entitlement}`);
    expect(text).not.toMatch(/^#\d+ [\d.]+ ran/m);
    expect((await build(lines, ['--allow', entitlement])).code).toBe(0);
  });

  it('an insecure step may mount, a common one may not', async () => {
    const mount = 'mount -t tmpfs none /tmp';
    expect((await build([`RUN ! ${mount}`])).code).toBe(0);
    expect((await build([`RUN --security=insecure ${mount}`], ['--allow', 'security.insecure'])).code).toBe(0);
  });

  it('an unknown right is an error', async () => {
    expect((await build(['RUN true'], ['--allow', 'everything'])).text).toContain('--allow everything is unknown');
  });
});

describe('hostile contexts', () => {
  it('a link out of the context copies nothing of the host', async () => {
    symlinkSync(join(canary, 'secret'), join(context, 'link'));
    symlinkSync(canary, join(context, 'folder'));
    expect((await build(['COPY link /x'])).text).toContain('is a symlink that leads nowhere in the build context');
    expect((await build(['COPY folder/secret /x'])).code).toBe(1);
    expect((await build(['RUN --mount=type=bind,source=folder,target=/m cat /m/secret'])).code).toBe(1);
    expect((await build(['COPY . /all', 'RUN ! cat /all/link && ! ls /all/folder/'])).code).toBe(0);
  });

  it('`..` ends at the context', async () => {
    const name = canary.split('/').at(-1)!;
    expect((await build([`COPY ../${name}/secret /x`])).text).toContain(
      `../${name}/secret is not in the build context`,
    );
  });

  it('ignore file and Dockerfile are not read through links that lead out', async () => {
    writeFileSync(join(canary, 'secret'), CANARY);
    symlinkSync(join(canary, 'secret'), join(context, '.dockerignore'));
    expect((await build(['COPY . /all'])).code).toBe(0);
    rmSync(join(context, '.dockerignore'));
    const tar = () => {
      rmSync(join(context, 'Dockerfile'), { force: true });
      symlinkSync(join(canary, 'secret'), join(context, 'Dockerfile'));
      return execFileSync('tar', ['-c', '-C', context, '.']);
    };
    const { code, stdout, stderr } = await host.berth(['build', '-'], { input: tar() });
    expect(code).toBe(1);
    expect(stdout + stderr).not.toContain(CANARY);
  });

  it('pipes and sockets are not waited for', async () => {
    execFileSync('mkfifo', [join(context, 'pipe')]);
    const server = createServer().listen(join(context, 'socket'));
    try {
      const { text } = await build(['COPY . /all']);
      expect(text).toMatch(/COPY \. \/all/);
    } finally {
      server.close();
    }
  });
});
