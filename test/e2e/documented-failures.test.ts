import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entries } from '../../scripts/docs/diagnostic-pages.ts';
import { Host } from '../support/host.ts';

/** The examples in docs/diagnostics of what only a running build can find. The others are run without one. */
describe('examples of build failures', () => {
  const host = new Host();
  const context = mkdtempSync('/tmp/berth-documented-');
  const told = entries.filter(({ example }) => example.options?.onlyInBuilds);

  beforeAll(async () => {
    await host.importBase('busybox');
    await host.ok(['tag', 'busybox', 'alpine:3.20']);
    writeFileSync(join(context, 'file'), 'content');
    writeFileSync(join(context, 'app'), 'content');
  });
  afterAll(async () => {
    await host.dispose();
    rmSync(context, { recursive: true });
  });

  async function build(code: string, dockerfile: string): Promise<{ code: number | null; text: string }> {
    const alone = code === 'build/no-context';
    writeFileSync(join(context, 'Dockerfile'), dockerfile);
    const result = await host.berth(
      ['build', '--progress', 'plain', alone ? '-' : context],
      alone ? { input: dockerfile } : {},
    );
    return { code: result.code, text: `${result.stdout}${result.stderr}` };
  }

  it('are all there', () => {
    expect(told.map(({ code }) => code)).toContain('build/run-failed');
  });

  it.each(told)('$code: the wrong one gives it', async ({ code, example }) => {
    const result = await build(code, example.wrong);
    expect(result.text).toContain(`[${code}]`);
    expect(result.code).toBe(1);
  });

  it.each(told)('$code: the right one builds', async ({ code, example }) => {
    const result = await build(code, example.right);
    expect(result.code, result.text).toBe(0);
  });
});
