import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import type { CliEnvironment } from '../environment.ts';

type World = Pick<CliEnvironment, 'env' | 'cwd'>;

/**
 * The variables of `--env-file` and `--env`, files first, as `NAME=value`. A bare name is passed on from the caller's
 * environment, or left out where it is not set there.
 * @throws BerthError `invalid`
 */
export async function readEnvironment(
  files: readonly string[],
  flags: readonly string[],
  world: World,
): Promise<string[]> {
  const passOn = (name: string) => (world.env[name] === undefined ? [] : [`${name}=${world.env[name]}`]);
  const entries: string[] = [];
  for (const file of files) entries.push(...(await readKeyValueFile(file, world.cwd)));
  for (const flag of flags) {
    if (flag === '' || flag.startsWith('=')) throw new BerthError('invalid', `invalid environment variable: ${flag}`);
    entries.push(flag);
  }
  return entries.flatMap((entry) => (entry.includes('=') ? [entry] : passOn(entry)));
}

/** Labels of `--label-file` and `--label`; a later one wins, a bare name has an empty value. */
export async function readLabels(
  files: readonly string[],
  flags: readonly string[],
  cwd: string,
): Promise<Readonly<Record<string, string>>> {
  const lines: string[] = [];
  for (const file of files) lines.push(...(await readKeyValueFile(file, cwd)));
  for (const flag of flags) {
    if (flag === '' || flag.startsWith('='))
      throw new BerthError('invalid', `invalid label: '${flag}': the key is empty`);
  }
  return keyValues([...lines, ...flags]);
}

/** `key=value` texts as an object. */
export function keyValues(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

/** One `key=value` or `key` a line; lines that start with # and empty ones do not count. */
async function readKeyValueFile(file: string, cwd: string): Promise<string[]> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new BerthError('invalid', `cannot read ${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
  });
  const entries: string[] = [];
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const key = line.split('=', 1)[0]!;
    if (key === '' || /\s/.test(key)) {
      throw new BerthError(
        'invalid',
        `${file}:${index + 1}: ${key === '' ? 'the name is empty' : `the name '${key}' has a space in it`}`,
      );
    }
    entries.push(line);
  }
  return entries;
}
