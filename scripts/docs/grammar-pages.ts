import { readFileSync } from 'node:fs';
import { InstructionParser } from '../../src/parser/grammar.ts';
import { instructionNames, instructions } from '../../src/parser/index.ts';
import { createInstructionLexer } from '../../src/parser/lex/modes.ts';
import { railroadSvg } from './railroad.ts';

/** The language as a page: instructions with their flags, the grammar, and the parser's own rules as diagrams. */
export function grammarPages(): Map<string, string> {
  const parser = new InstructionParser(createInstructionLexer().vocabulary);
  const ebnf = readFileSync(new URL('../../grammar/dockerfile/dockerfile.ebnf', import.meta.url), 'utf8');
  const rows = instructionNames.map((name) => {
    const { form, flags } = instructions[name];
    const flagList = Object.values(flags).map(({ example }) => `\`${example}\``);
    return `| ${name} | \`${form.replaceAll('|', '\\|')}\` | ${flagList.join(' ')} |`;
  });
  const page = [
    '# The Dockerfile language',
    '',
    'Made by `node scripts/docs.ts` from grammar/dockerfile and the parser.',
    '',
    '| instruction | form | flags |',
    '|---|---|---|',
    ...rows,
    '',
    '![The rules as railroad diagrams](dockerfile-grammar.svg)',
    '',
    '```ebnf',
    ebnf.trimEnd(),
    '```',
    '',
  ].join('\n');
  return new Map([
    ['dockerfile-grammar.md', page],
    ['dockerfile-grammar.svg', railroadSvg(parser.getSerializedGastProductions())],
  ]);
}
