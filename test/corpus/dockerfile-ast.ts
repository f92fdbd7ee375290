import { SourceText } from '../../src/diagnostics/index.ts';
import type { InstructionNode } from '../../src/parser/instruction-node.ts';
import { readDirectives } from '../../src/parser/lex/directives.ts';
import { LineReader } from '../../src/parser/lex/line-reader.ts';
import { readInstructions } from '../../src/parser/read-instructions.ts';
import type { AstNode } from './dockerfile-corpus.ts';

/** What Berth reads in a text, in the words of the reference parser's tree. */
export function astOf(text: string): AstNode[] {
  const source = new SourceText('Dockerfile', text);
  const reader = new LineReader(source);
  const { directives } = readDirectives(reader);
  if (directives.find(({ name }) => name === 'escape')?.value === '`') reader.escape = '`';
  return [...readInstructions(reader, () => {})].map((node) => topNode(node));
}

function topNode(node: InstructionNode): AstNode {
  return {
    ...nodeOf(node),
    start: node.keyword.span.start.line,
    end: node.logical.source.positionAt(node.endOffset).line,
    ...(node.comments.length > 0 ? { comments: node.comments } : {}),
    ...(node.heredocs.length > 0
      ? {
          heredocs: node.heredocs.map(({ name, fd, expand, chomp, content }) => ({ name, fd, expand, chomp, content })),
        }
      : {}),
  };
}

/** Nodes inside ONBUILD have no lines of their own there. */
function nodeOf(node: InstructionNode): AstNode {
  const { trigger } = node;
  const onbuild = trigger ? { onbuild: trigger.name === 'ONBUILD' ? chained(trigger) : nodeOf(trigger) } : {};
  return {
    cmd: node.keyword.text.toUpperCase(),
    raw: node.keyword.text,
    original: node.logical.text.slice(node.offset),
    args: argsOf(node),
    ...(node.flags.length > 0 ? { flags: node.flags.map(({ word }) => word.text) } : {}),
    ...(node.json ? { json: true } : {}),
    start: 0,
    end: 0,
    ...onbuild,
  };
}

/** Berth does not look into ONBUILD ONBUILD, which is an error anyhow; the reference does. */
function chained(node: InstructionNode): AstNode {
  const [inner] = astOf(node.logical.text.slice(node.offset));
  return { ...inner!, start: 0, end: 0 };
}

function argsOf(node: InstructionNode): string[] {
  const texts = node.args.map(({ text }) => text);
  if (!node.name) return [''];
  if (node.name === 'ENV' || node.name === 'LABEL') {
    if (node.args[0]?.token === 'legacy-key') return [texts[0]!, texts[1] ?? '', ''];
    return texts.flatMap((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1), '=']);
  }
  return node.type ? [node.type.text, ...texts] : texts;
}
