import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasErrors } from '../../src/diagnostics/index.ts';
import { parseDockerfile } from '../../src/parser/index.ts';
import { astOf } from './dockerfile-ast.ts';
import { corpusFile, type FrontendCase, jsonLines } from './dockerfile-corpus.ts';

const cases = jsonLines<FrontendCase>('frontend-cases.jsonl');

describe('what the reference front end says of a Dockerfile', () => {
  it.each(cases.filter(({ ast }) => ast))('$id: the same instructions', ({ dockerfile, ast }) => {
    expect(astOf(dockerfile)).toEqual(ast);
  });

  it.each(cases.filter(({ build_error }) => !build_error))('$id: refused or not', (row) => {
    const { diagnostics } = parseDockerfile(row.dockerfile);
    expect(hasErrors(diagnostics)).toBe(Boolean(row.parse_error ?? row.instruction_error));
  });

  it.each(cases.filter(({ instruction_error }) => /on line \d/.test(instruction_error ?? '')))(
    '$id: the first error is on the same line',
    ({ dockerfile, instruction_error }) => {
      const first = parseDockerfile(dockerfile).diagnostics.find(({ severity }) => severity === 'error');
      expect(first?.span.start.line).toBe(Number(/on line (\d+)/.exec(instruction_error!)![1]));
    },
  );

  it.each(cases.filter((row) => row.escape))('$id: the same escape character', (row) => {
    expect(parseDockerfile(row.dockerfile).value.escape).toBe(row.escape);
  });

  it.each(cases.filter(({ stages }) => stages))('$id: the same stages', ({ dockerfile, stages, meta_args }) => {
    const { value } = parseDockerfile(dockerfile);
    const found = value.stages.map(({ name = '', from, instructions }) => ({
      name,
      base: from.image.text,
      platform: from.platform?.text ?? '',
      commands: instructions.length,
    }));
    expect(found).toEqual(stages!.map(({ name, base, platform, commands }) => ({ name, base, platform, commands })));
    expect(value.globalArgs).toHaveLength(meta_args ?? 0);
  });
});

describe('the fixtures of the reference parser', () => {
  it.each(readdirSync(corpusFile('buildkit-parser/positive')))('%s reads the same', (name) => {
    const folder = `buildkit-parser/positive/${name}`;
    const nodes = astOf(readFileSync(corpusFile(`${folder}/Dockerfile`), 'utf8'));
    const lines = nodes.map((node) => sExpression(node));
    expect(lines.join('\n')).toBe(readFileSync(corpusFile(`${folder}/result`), 'utf8').trimEnd());
  });

  it.each(readdirSync(corpusFile('buildkit-parser/negative')))('%s is refused', (name) => {
    const text = readFileSync(corpusFile(`buildkit-parser/negative/${name}/Dockerfile`), 'utf8');
    expect(hasErrors(parseDockerfile(text).diagnostics)).toBe(true);
  });

  it('line-info: line ranges', () => {
    const nodes = astOf(readFileSync(corpusFile('buildkit-parser/line-info/Dockerfile'), 'utf8'));
    expect(nodes.map(({ start, end }) => [start, end])).toEqual([
      [5, 5],
      [11, 12],
      [17, 31],
    ]);
  });
});

/** `(run "a" "b")`, with strings quoted as Go's %q does. */
function sExpression(node: ReturnType<typeof astOf>[number]): string {
  const flags = node.flags ? [`[${node.flags.map(quoted).join(' ')}]`] : [];
  const inner = node.onbuild ? [sExpression(node.onbuild)] : node.args.map(quoted);
  return `(${[node.cmd.toLowerCase(), ...flags, ...inner].join(' ')})`;
}

function quoted(text: string): string {
  const escaped = JSON.stringify(text).replace(/\\u00([01][0-9a-f])/g, '\\x$1');
  return escaped;
}
