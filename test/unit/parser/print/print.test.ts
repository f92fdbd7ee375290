import { describe, expect, it } from 'vitest';
import { parseDockerfile, printDockerfile } from '../../../../src/parser/index.ts';

const printed = (text: string) => printDockerfile(parseDockerfile(text).value);

describe('printDockerfile', () => {
  it('prints one line an instruction, with comments, flags and heredocs', () => {
    const text = [
      '# escape=`',
      '',
      'ARG V=1',
      '',
      '# build compiles',
      'FROM --platform=$BUILDPLATFORM alpine:$V AS build',
      'RUN --mount=type=cache,target=/c --network=none make  all',
      "COPY --chown=me --link a 'b' <<-'EOF' /dest/",
      '\tbody',
      'EOF',
      'HEALTHCHECK --interval=3s CMD ["true"]',
      '',
    ].join('\n');
    expect(printed(text)).toBe(text);
  });

  it('joins continuations and drops what is between', () => {
    expect(printed('FROM a\nRUN one \\\n\n # no\n  && two\n')).toBe('FROM a\nRUN one   && two\n');
  });

  it('uses the JSON form for paths with blanks', () => {
    expect(printed('FROM a\nCOPY ["a b", "/c/"]\nADD ["a", "/c/"]\n')).toBe('FROM a\nCOPY ["a b", "/c/"]\nADD a /c/\n');
  });

  it('keeps a comment at the top from becoming a directive', () => {
    const text = '\n# escape=`\nFROM a\n';
    expect(printed(text)).toBe(text);
  });

  it('splits lines that would be too long to read', () => {
    const text = `FROM a\nRUN a${' \\\n  && something # else'.repeat(6_000)}\n`;
    const { value } = parseDockerfile(text);
    const again = parseDockerfile(printDockerfile(value));
    expect(again.diagnostics).toEqual([]);
    const [before, after] = [value, again.value].map(({ stages }) => stages[0]!.instructions[0]!.original);
    expect(after === before).toBe(true);
  });
});
