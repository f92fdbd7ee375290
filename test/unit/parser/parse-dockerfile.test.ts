// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write variables like this
import { describe, expect, it } from 'vitest';
import { type Instruction, parseDockerfile, parseInstruction, soleHeredoc } from '../../../src/parser/index.ts';

const instructionsOf = (text: string) => parseDockerfile(`FROM alpine\n${text}`).value.stages[0]!.instructions;
const first = (text: string) => instructionsOf(text)[0]!;

function kindOf<K extends Instruction['kind']>(instruction: Instruction, kind: K) {
  if (instruction.kind !== kind) throw new Error(`${instruction.kind} is not ${kind}`);
  return instruction as Extract<Instruction, { kind: K }>;
}

describe('parseDockerfile', () => {
  it('groups instructions by stage and keeps the arguments before the first FROM', () => {
    const { value, diagnostics } = parseDockerfile('ARG V=1\nFROM a:$V AS One\nRUN x\nFROM one\nCMD y\n');
    expect(diagnostics).toEqual([]);
    expect(value.globalArgs.map(({ original }) => original)).toEqual(['ARG V=1']);
    expect(value.stages.map(({ index, name, from }) => [index, name, from.image.text])).toEqual([
      [0, 'one', 'a:$V'],
      [1, undefined, 'one'],
    ]);
    expect(value.stages.map(({ instructions }) => instructions.map(({ kind }) => kind))).toEqual([['run'], ['cmd']]);
  });

  it('places words that stand on continued lines', () => {
    const copy = kindOf(first('COPY a \\\n  # why\n  "b" /c'), 'copy');
    expect(copy.dest.span.start).toMatchObject({ line: 4, column: 7 });
    expect(copy.span.end).toMatchObject({ line: 4, column: 9 });
    expect(copy.original).toBe('COPY a   "b" /c');
  });

  it('gives a word that is broken over lines one span', () => {
    const env = kindOf(first('ENV A=on\\\ne'), 'env');
    expect(env.pairs[0]!.value).toMatchObject({
      text: 'one',
      span: { start: { line: 2 }, end: { line: 3, column: 2 } },
    });
  });

  it('places mount values inside a quoted flag', () => {
    const run = kindOf(first('RUN --mount="type=cache,target=/a b" ls'), 'run');
    const target = run.mounts[0]!.options[0]!;
    expect(target).toMatchObject({ key: 'target', value: { text: '/a b' } });
    expect(target.value!.span.start.column).toBe('RUN --mount="type=cache,target='.length + 1);
  });

  it('goes on after an error and reports in order of place', () => {
    const { diagnostics, value } = parseDockerfile('FROM a\nRNU x\nENV A\nRUN ok\nCOPY b\n');
    expect(diagnostics.map(({ code, span }) => [span.start.line, code])).toEqual([
      [2, 'dockerfile/unknown-instruction'],
      [3, 'dockerfile/missing-value'],
      [5, 'dockerfile/missing-arguments'],
    ]);
    expect(value.stages[0]!.instructions.map(({ kind }) => kind)).toEqual(['run']);
  });

  it('checks quotes and substitutions in the words that are expanded, and in no others', () => {
    expect(parseDockerfile('FROM a\nRUN echo "${x\nCMD it\'s\n').diagnostics).toEqual([]);
    expect(parseDockerfile('FROM a\nENV A=${x\n').diagnostics).toHaveLength(1);
    expect(parseDockerfile('FROM a\nENV A=${x:?must_be_set}\n').diagnostics).toEqual([]);
  });

  it('keeps heredoc sources out of the paths of COPY', () => {
    const copy = kindOf(first('COPY a <<ONE <<-"TWO" /d/\nx $y\nONE\n\tz\n\tTWO\n'), 'copy');
    expect(copy.sources.map(({ text }) => text)).toEqual(['a']);
    expect(copy.heredocs).toMatchObject([
      { name: 'ONE', expand: true, chomp: false, content: 'x $y\n' },
      { name: 'TWO', expand: false, chomp: true, content: '\tz\n' },
    ]);
  });

  it('accepts docker/dockerfile in any version as its own front end', () => {
    for (const image of [
      'docker/dockerfile',
      'docker/dockerfile:1.7-labs',
      'docker.io/docker/dockerfile-upstream:master',
    ]) {
      expect(parseDockerfile(`# syntax=${image}\nFROM a\n`).diagnostics).toEqual([]);
    }
  });
});

describe('parseInstruction', () => {
  it('reads one instruction that stands alone', () => {
    const { value, diagnostics } = parseInstruction('COPY . /app');
    expect(diagnostics).toEqual([]);
    expect(value).toMatchObject({ kind: 'copy', dest: { text: '/app' } });
  });

  it('refuses none, several and those that are not allowed', () => {
    const codes = (text: string) => parseInstruction(text, { allowed: ['ENV'] }).diagnostics.map(({ code }) => code);
    expect(codes('')).toEqual(['dockerfile/not-one-instruction']);
    expect(codes('ENV A=1\nENV B=2')).toEqual(['dockerfile/not-one-instruction']);
    expect(codes('RUN x')).toEqual(['dockerfile/instruction-not-allowed']);
    expect(parseInstruction('RUN x', { allowed: ['ENV'] }).value).toBeNull();
  });
});

describe('soleHeredoc', () => {
  it('sees whether the body itself is the script', () => {
    expect(soleHeredoc('<<EOF')?.name).toBe('EOF');
    expect(soleHeredoc('<< "EOF"')).toMatchObject({ name: 'EOF', expand: false });
    expect(soleHeredoc('cat <<EOF')).toBeUndefined();
    expect(soleHeredoc('<<EOF bash')).toBeUndefined();
  });
});
