import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Script, startFakeEngine } from '../unit/cli/fake-engine.ts';
import { runMain } from '../unit/cli/test-environment.ts';

/**
 * One folder, one command line: `argv` (a word a line), and what it prints and returns. Optional: `engine.json` (what
 * the engine answers), `stdin`, `env.json`, `files/` (the working folder). `requests.txt` is what the engine was asked.
 * UPDATE_GOLDEN=1 writes what came out; review the diff.
 */
const root = new URL('../../fixtures/cli/', import.meta.url).pathname;
const update = process.env['UPDATE_GOLDEN'] === '1';
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const zone = process.env['TZ'];

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});
afterAll(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

describe('command lines', () => {
  it.each(readdirSync(root).sort())('%s', async (name) => {
    const folder = join(root, name);
    const actual = await play(folder);
    for (const [file, content] of Object.entries(actual)) {
      const path = join(folder, file);
      if (update) record(path, content);
      expect(content, file).toBe(existsSync(path) ? readFileSync(path, 'utf8') : '');
    }
  });
});

async function play(folder: string): Promise<Record<string, string>> {
  const argv = readFileSync(join(folder, 'argv'), 'utf8')
    .replace(/\n$/, '')
    .split('\n')
    .filter((word) => word !== '');
  const scripts = optionalJson<Script[]>(join(folder, 'engine.json')) ?? [];
  const engine = await startFakeEngine(scripts);
  const files = join(folder, 'files');
  try {
    const result = await runMain(argv, {
      cwd: existsSync(files) ? files : folder,
      env: { BERTH_HOST: engine.host, ...optionalJson<Record<string, string>>(join(folder, 'env.json')) },
      stdin: existsSync(join(folder, 'stdin')) ? readFileSync(join(folder, 'stdin')) : '',
    });
    const steady = (text: string) =>
      text.replaceAll(engine.host, 'unix:///engine.sock').replaceAll(folder, '<case>').replaceAll(version, '<version>');
    return {
      'stdout.txt': steady(result.stdout),
      'stderr.txt': steady(result.stderr),
      exit: `${result.code}\n`,
      'requests.txt': steady(
        engine.requests.map(({ line, body, type }) => `${line}\n${bodyText(body, type)}`).join(''),
      ),
    };
  } finally {
    await engine.close();
  }
}

function bodyText(body: Buffer, type: string | undefined): string {
  if (body.length === 0) return '';
  if (type === 'application/json') return `${JSON.stringify(JSON.parse(body.toString('utf8'), dropEmpty), null, 2)}\n`;
  return type === 'text/x-dockerfile' ? `${body}\n` : `(${type}, ${body.length} bytes)\n`;
}

/** What says nothing is left out, so that a request shows what its flags changed. */
function dropEmpty(_key: string, value: unknown): unknown {
  const isEmpty =
    value === null ||
    value === '' ||
    value === false ||
    JSON.stringify(value) === '[]' ||
    JSON.stringify(value) === '{}';
  return isEmpty ? undefined : value;
}

function record(path: string, content: string): void {
  if (content === '') rmSync(path, { force: true });
  else writeFileSync(path, content);
}

function optionalJson<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}
