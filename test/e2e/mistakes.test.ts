import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Host } from '../support/host.ts';

describe('a user makes a mistake', () => {
  const host = new Host();
  let context: string;

  beforeAll(() => host.importBase('busybox'));
  afterAll(() => host.dispose());
  beforeEach(() => {
    context = mkdtempSync('/tmp/berth-mistake-');
    return () => rmSync(context, { recursive: true, force: true });
  });

  async function failingBuild(dockerfile: string, code = 1): Promise<string> {
    writeFileSync(join(context, 'Dockerfile'), dockerfile);
    const result = await host.berth(['build', '--progress', 'plain', '-t', 'mistake', context]);
    const text = `${result.stdout}${result.stderr}`;
    expect(result.code, text).toBe(code);
    expect(text).not.toMatch(/^\s+at .*\.(ts|cjs|js):\d+/m);
    expect((await host.berth(['image', 'inspect', 'mistake'])).code).toBe(1);
    return text;
  }

  it('an unknown instruction: place, frame, suggestion, and nothing is built', async () => {
    const text = await failingBuild('FROM busybox\nRUN echo built-anyway\nRNU echo hello\n');
    expect(text).toMatch(/Dockerfile:3:1: error: .*RNU/);
    expect(text).toContain('> 3 | RNU echo hello');
    expect(text).toMatch(/hint: .*RUN/);
    expect(text).not.toMatch(/^#\d+ [\d.]+ built-anyway/m);
  });

  it('an unknown flag: place, frame, suggestion', async () => {
    const text = await failingBuild('FROM busybox\nCOPY --chwon=1 a b\n');
    expect(text).toMatch(/Dockerfile:2:6: error: .*--chwon/);
    expect(text).toMatch(/hint: .*--chown/);
  });

  it('a missing COPY source: the nearest match', async () => {
    writeFileSync(join(context, 'package.json'), '{}');
    const text = await failingBuild('FROM busybox\nCOPY pakage.json /\n');
    expect(text).toMatch(/Dockerfile:2:6/);
    expect(text).toMatch(/package\.json/);
  });

  it('a COPY source that .dockerignore hides: which rule hides it', async () => {
    mkdirSync(join(context, 'dist'));
    writeFileSync(join(context, 'dist/app.js'), '');
    writeFileSync(join(context, '.dockerignore'), '# made files\ndist\n');
    const text = await failingBuild('FROM busybox\nCOPY dist/app.js /\n');
    expect(text).toMatch(/\.dockerignore/);
    expect(text).toMatch(/dist/);
  });

  it('a failing RUN: the step, its line, its last output, its exit code', async () => {
    const text = await failingBuild('FROM busybox\nRUN echo fine\nRUN echo the last words && exit 42\n');
    expect(text).toMatch(/Dockerfile:3/);
    expect(text).toContain('RUN echo the last words && exit 42');
    expect(text).toContain('the last words');
    expect(text).toMatch(/exit code:? 42/);
  });

  it('a base image that is not there', async () => {
    expect(await failingBuild('FROM busybxo\n')).toMatch(/Dockerfile:1:6.*busybxo[\s\S]*busybox/);
  });

  it('a Dockerfile in place of the folder', async () => {
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\n');
    const result = await host.berth(['build', join(context, 'Dockerfile')]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/-f/);
  });

  it.each([
    [['run', '--nosuch', 'busybox'], 125, /unknown flag: --nosuch/],
    [['run', '--health-cmd', 'true', 'busybox'], 125, /--health-cmd.*not there yet/],
    [['run', 'nosuchimage'], 125, /nosuchimage/],
    [['run', '--rm', 'busybox', 'nosuch'], 127, /nosuch/],
    [['run', '--rm', 'busybox', '/etc'], 126, /\/etc/],
    [['run', '--rm', 'busybox', 'sh', '-c', 'sleep 9 & kill -9 $!; wait $!'], 137, /^Killed/],
    [['run', '--rm', 'busybox', 'false'], 1, /^$/],
    [['exec', 'nobody', 'true'], 1, /No such container: nobody/],
    [['logs', 'nobody'], 1, /nobody/],
    [['frobnicate'], 1, /frobnicate/],
    [['inspect', 'nothing'], 1, /nothing/],
    [['rmi', 'nothing'], 1, /nothing/],
  ])('%j exits with %i', async (args, code, words) => {
    const result = await host.berth(args);
    expect(result.stderr).toMatch(words);
    expect(result.code, result.stderr).toBe(code);
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });
});
