import { parseInstruction } from '../../parser/index.ts';
import type { FromInstruction, Instruction } from '../../parser/ir.ts';
import { finding } from '../findings.ts';
import type { Planning } from './stage-state.ts';

/** ONBUILD texts of a base, as instructions. They are in no file here: all point at the FROM that brought them. */
export function readTriggers(planning: Planning, texts: readonly string[], from: FromInstruction): Instruction[] {
  const { span } = from.image;
  return texts.flatMap((text) => {
    const { value, diagnostics } = parseInstruction(text, {
      file: span.file,
      escape: planning.dockerfile.escape,
    });
    for (const { message, severity } of diagnostics) {
      if (severity !== 'error') continue;
      planning.report(
        finding('build/bad-trigger', span, `ONBUILD ${text} of the base image cannot be read: ${message}`),
      );
    }
    return value ? [relocated(value, span)] : [];
  });
}

/** The same value with all its spans replaced. */
function relocated<T>(value: T, span: FromInstruction['span']): T {
  if (Array.isArray(value)) return value.map((item) => relocated(item, span)) as T;
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]) => [key, key === 'span' ? span : relocated(item, span)]);
  return Object.fromEntries(entries) as T;
}
