import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasErrors } from '../../src/diagnostics/index.ts';
import { parseDockerfile, printDockerfile } from '../../src/parser/index.ts';
import { corpusFile, type FrontendCase, jsonLines } from './dockerfile-corpus.ts';
import { meaningOf } from './dockerfile-meaning.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/dockerfile/', import.meta.url));
const texts: [name: string, text: string][] = [
  ...jsonLines<FrontendCase>('frontend-cases.jsonl').map(({ id, dockerfile }): [string, string] => [id, dockerfile]),
  ...readdirSync(corpusFile('buildkit-parser/positive')).map((name): [string, string] => [
    name,
    readFileSync(corpusFile(`buildkit-parser/positive/${name}/Dockerfile`), 'utf8'),
  ]),
  ...readdirSync(fixtures).map((name): [string, string] => [
    name,
    readFileSync(`${fixtures}${name}/Dockerfile`, 'utf8'),
  ]),
];
const valid = texts.filter(([, text]) => !hasErrors(parseDockerfile(text).diagnostics));

describe('printDockerfile', () => {
  it.each(valid)('%s: what is printed reads the same', (_, text) => {
    const { value } = parseDockerfile(text);
    const printed = printDockerfile(value);
    const again = parseDockerfile(printed);
    expect(again.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(meaningOf(again.value)).toEqual(meaningOf(value));
    expect(printDockerfile(again.value)).toBe(printed);
  });
});
