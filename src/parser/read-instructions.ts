import { InstructionParser } from './grammar.ts';
import { canHoldHeredocs, type InstructionNode, readInstructionNode } from './instruction-node.ts';
import type { Heredoc } from './ir.ts';
import { findHeredocMarkers, readHeredocBody } from './lex/heredoc.ts';
import type { LineReader, LogicalLine } from './lex/line-reader.ts';
import { createInstructionLexer, type InstructionLexer } from './lex/modes.ts';
import type { Report } from './report.ts';

let machinery: { readonly lexer: InstructionLexer; readonly parser: InstructionParser } | undefined;

/** Lexer and grammar are recorded once per process, at the first parse. */
function machines() {
  if (!machinery) {
    const lexer = createInstructionLexer();
    machinery = { lexer, parser: new InstructionParser(lexer.vocabulary) };
  }
  return machinery;
}

/** Yields the instructions of a file for form only: lines joined, tokenised, parsed, heredoc bodies attached. */
export function* readInstructions(reader: LineReader, report: Report): Generator<InstructionNode> {
  for (let line = reader.nextLogicalLine(); line; line = reader.nextLogicalLine()) {
    // Only escape characters and white space: there is no word to begin an instruction with.
    if (line.logical.text.trim() === '')
      report('dockerfile/lone-escape', line.logical.span(0, line.logical.text.length), { value: reader.escape });
    else yield readNode(line, reader, report);
  }
}

function readNode(line: LogicalLine, reader: LineReader, report: Report): InstructionNode {
  const { lexer, parser } = machines();
  const { logical, comments, emptyLines } = line;
  const { text } = logical;
  const markers = text.includes('<<') ? findHeredocMarkers(text) : [];
  const cst = parser.parse(lexer.tokenize(text, reader.escape, markers));
  const node = readInstructionNode(cst, { logical, comments, emptyLines, heredocs: [], endOffset: reader.lastLineEnd });
  if (markers.length === 0 || !canHoldHeredocs(node)) return node;
  const heredocs: Heredoc[] = [];
  for (const marker of markers) {
    const { heredoc, terminated, nearMiss } = readHeredocBody(reader, marker);
    heredocs.push(heredoc);
    if (!terminated) {
      const span = logical.span(marker.start, marker.end);
      report('dockerfile/unterminated-heredoc', span, {
        name: marker.name,
        line: nearMiss,
        value: marker.chomp ? '-' : '',
      });
    }
  }
  const attached = { heredocs, endOffset: reader.lastLineEnd };
  return { ...node, ...attached, ...(node.trigger ? { trigger: { ...node.trigger, ...attached } } : {}) };
}
