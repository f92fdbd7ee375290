import { SourceText } from '../../diagnostics/index.ts';
import { BerthError } from '../../errors/index.ts';

/** An error at one place of a template, as `template:1:12: unknown function: foo`. */
export function templateError(source: string, offset: number, message: string, hint?: string): BerthError {
  const { line, column } = new SourceText('template', source).positionAt(offset);
  return new BerthError('invalid', `template:${line}:${column}: ${message}`, hint ? { hint } : {});
}
