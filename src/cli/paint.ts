import { styleText } from 'node:util';
import type { OutputStream } from './environment.ts';

export type PaintRole = 'error' | 'warning' | 'info' | 'hint' | 'dim' | 'good' | 'strong';

const STYLES = {
  error: 'red',
  warning: 'yellow',
  info: 'cyan',
  hint: 'cyan',
  dim: 'dim',
  good: 'green',
  strong: 'bold',
} as const;

/** Colours for a terminal, plain text for everything else and where NO_COLOR is set. */
export function paintFor(stream: OutputStream): (text: string, role: PaintRole) => string {
  if (!stream.isTTY) return (text) => text;
  return (text, role) => styleText(STYLES[role], text, { stream: stream as NodeJS.WriteStream });
}
