import type { Diagnostic } from './diagnostic.ts';
import type { SourceText, Span } from './span.ts';

const CONTEXT_LINES = 1;
const MAX_WIDTH = 160;

export interface FrameStyle {
  /** Wraps a piece of text in colour; identity when the terminal has none. */
  readonly paint: (text: string, role: 'error' | 'warning' | 'info' | 'hint' | 'dim') => string;
}

export const plainStyle: FrameStyle = { paint: (text) => text };

/**
 * Prints one diagnostic with its code frame:
 *
 * ```
 * Dockerfile:3:1: error: unknown instruction: RNU [dockerfile/unknown-instruction]
 *   2 | FROM busybox
 * > 3 | RNU echo hello
 *     | ^^^
 *   hint: did you mean RUN?
 * ```
 */
export function printDiagnostic(diagnostic: Diagnostic, source: SourceText, style: FrameStyle = plainStyle): string {
  const { span, severity } = diagnostic;
  const head =
    `${visible(span.file)}:${span.start.line}:${span.start.column}: ` +
    `${style.paint(`${severity}:`, severity)} ${visible(diagnostic.message)} ${style.paint(`[${diagnostic.code}]`, 'dim')}`;
  const lines = [head, ...codeFrame(source, span, style, severity)];
  for (const related of diagnostic.related ?? []) {
    lines.push(`  ${visible(related.span.file)}:${related.span.start.line}: ${visible(related.message)}`);
  }
  if (diagnostic.hint) lines.push(`  ${style.paint('hint:', 'hint')} ${visible(diagnostic.hint)}`);
  return lines.join('\n');
}

/** The lines around a span, with a caret line below the marked part. Multi-line spans mark their first line. */
export function codeFrame(
  source: SourceText,
  span: Span,
  style: FrameStyle = plainStyle,
  role: 'error' | 'warning' | 'info' = 'error',
): string[] {
  const first = Math.max(1, span.start.line - CONTEXT_LINES);
  const width = String(span.start.line).length;
  const frame: string[] = [];
  for (let number = first; number <= span.start.line; number++) {
    const marked = number === span.start.line;
    const gutter = `${marked ? '> ' : '  '}${String(number).padStart(width)} | `;
    const text = source.line(number);
    const { shown, shift } = window(text, marked ? span.start.column - 1 : 0);
    frame.push(`${style.paint(gutter, 'dim')}${shown}`);
    if (!marked) continue;
    const from = span.start.column - 1 - shift;
    const lineEnd = span.end.line === span.start.line ? span.end.column - 1 : text.length;
    const length = Math.max(1, Math.min(lineEnd - shift, shown.length) - from);
    const caret = style.paint('^'.repeat(length), role);
    frame.push(`${style.paint(`  ${' '.repeat(width)} | `, 'dim')}${' '.repeat(Math.max(0, from))}${caret}`);
  }
  return frame;
}

/** Long lines are cut around the marked column; tabs and control characters become one column each. */
function window(text: string, column: number): { shown: string; shift: number } {
  const shift = column > MAX_WIDTH - 20 ? column - 40 : 0;
  return { shown: visible(text.slice(shift, shift + MAX_WIDTH)), shift };
}

/** Text of strangers must not move the cursor or change colours. */
function visible(text: string): string {
  return text.replace(/\t/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}
