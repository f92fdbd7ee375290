import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InstructionParser } from '../../../src/parser/grammar.ts';
import { diagnosticCodes, instructionNames, instructions, parseDockerfile } from '../../../src/parser/index.ts';
import { createInstructionLexer } from '../../../src/parser/lex/modes.ts';

const ebnf = readFileSync(new URL('../../../grammar/dockerfile/dockerfile.ebnf', import.meta.url), 'utf8');

describe('grammar/dockerfile', () => {
  it('passes the validation of the parser toolkit', () => {
    const lexer = createInstructionLexer(true);
    const parser = new InstructionParser(lexer.vocabulary, true);
    const rules = Object.keys(parser.getGAstProductions()).sort();
    expect([...ebnf.matchAll(/^([a-z]\w*)\s*=/gm)].map((match) => match[1]).sort()).toEqual(rules);
  });

  it('names only tokens that exist', () => {
    const { keywords: _, keywordOf, ...tokens } = createInstructionLexer().vocabulary;
    const known = [...Object.values(tokens), ...Object.values(keywordOf)].map(({ name }) => name);
    const body = ebnf.replace(/\(\*[\s\S]*?\*\)/g, '');
    const named = new Set([...body.matchAll(/\b[A-Z]\w*/g)].map((match) => match[0]));
    expect([...named].filter((name) => !known.includes(name))).toEqual([]);
  });

  it('gives every instruction an example that parses', () => {
    for (const name of instructionNames) {
      const { example, flags } = instructions[name];
      const text = name === 'FROM' ? example : `FROM alpine\n${example}\n`;
      expect(parseDockerfile(text).diagnostics).toEqual([]);
      for (const flag of Object.values(flags)) {
        const keyword = name === 'HEALTHCHECK' ? 'HEALTHCHECK' : name;
        const rest = name === 'HEALTHCHECK' ? 'CMD x' : name === 'FROM' ? 'alpine' : 'a b';
        const line = `${keyword} ${flag.example} ${rest}`;
        expect(parseDockerfile(name === 'FROM' ? line : `FROM alpine\n${line}\n`).diagnostics).toEqual([]);
      }
    }
  });
});

describe('diagnosticCodes', () => {
  it('has a message for every code, and says it without a full stop', () => {
    for (const [code, { message, hint }] of Object.entries(diagnosticCodes)) {
      const facts = { name: 'n', value: 'v', instruction: 'RUN', form: 'f', example: 'e', allowed: ['a'], count: 0 };
      expect(code).toMatch(/^dockerfile\/[a-z-]+$/);
      expect(message(facts)).toMatch(/[^.]$/);
      expect(hint(facts) ?? 'x').toMatch(/[^.]$|\.\.\.$/);
    }
  });
});
