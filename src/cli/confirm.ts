import { createInterface } from 'node:readline/promises';
import type { CliEnvironment } from './environment.ts';

/**
 * Asks on the terminal, as Docker does; anything but `y` is a no, and so is the end of input.
 * @see docker/cli internal/prompt
 */
export async function confirm({ stdin, stdout }: CliEnvironment, question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, terminal: false });
  stdout.write(`${question} [y/N] `);
  try {
    for await (const line of lines) return line.trim().toLowerCase() === 'y';
    return false;
  } finally {
    lines.close();
  }
}
