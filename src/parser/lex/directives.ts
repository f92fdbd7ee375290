import type { SourceText } from '../../diagnostics/index.ts';
import type { Directive } from '../ir.ts';
import type { LineReader } from './line-reader.ts';

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=(.*)$/;
const KNOWN: readonly string[] = ['syntax', 'escape', 'check'] satisfies Directive['name'][];

export interface Directives {
  readonly directives: readonly Directive[];
  /** Directives that came before with the same name. */
  readonly duplicates: readonly Directive[];
}

/**
 * Reads `# key=value` comments at the top of the file. The first line that is no known directive ends them,
 * but a `#!` line before them only hides the escape directive.
 * @see Dockerfile reference, "Parser directives"
 */
export function readDirectives(reader: LineReader): Directives {
  const directives: Directive[] = [];
  const duplicates: Directive[] = [];
  while (reader.advance()) {
    const start = reader.lineSpan.start.offset;
    if (directives.length === 0 && reader.line.startsWith('#!')) {
      reader.unread();
      return { directives: directivesAfterScriptLine(reader), duplicates };
    }
    const directive = parseDirective(reader.source, reader.line, start);
    if (!directive) {
      reader.unread();
      break;
    }
    const again = directives.some((earlier) => earlier.name === directive.name);
    (again ? duplicates : directives).push(directive);
  }
  return { directives, duplicates };
}

/** The lines of a `#!` Dockerfile stay comments; what they say about syntax and checks counts all the same. */
function directivesAfterScriptLine(reader: LineReader): Directive[] {
  const found: Directive[] = [];
  const { text } = reader.source;
  let start = text.indexOf('\n', reader.offset) + 1;
  while (start > 0 && start < text.length) {
    const newline = text.indexOf('\n', start);
    const line = text.slice(start, newline < 0 ? undefined : newline);
    const directive = parseDirective(reader.source, line, start);
    if (!directive) break;
    if (directive.name !== 'escape') found.push(directive);
    start = newline + 1;
  }
  return found;
}

function parseDirective(source: SourceText, line: string, lineStart: number): Directive | undefined {
  const match = DIRECTIVE.exec(line);
  const name = match?.[1]?.toLowerCase();
  const value = match?.[2]?.trim();
  if (!name || !value || !KNOWN.includes(name)) return undefined;
  const start = lineStart + line.lastIndexOf(value);
  return { name: name as Directive['name'], value, span: source.span(start, start + value.length) };
}
