import type { CommandSpec } from './spec.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError with Docker's words when there are too few or too many arguments */
export function checkArgs({ args: { min, max }, usage }: CommandSpec, name: string, args: readonly string[]): void {
  if (args.length >= min && args.length <= (max ?? Infinity)) return;
  const message = `'berth ${name}' ${requirement(min, max)}\n\nUsage:  ${`berth ${name} ${usage}`.trim()}\n`;
  throw new UsageError(message, { exitCode: 1, command: name });
}

function requirement(min: number, max: number | undefined): string {
  const plural = (count: number) => `${count} argument${count === 1 ? '' : 's'}`;
  if (max === 0) return 'accepts no arguments';
  if (max === undefined) return `requires at least ${plural(min)}`;
  if (min === max) return `requires ${plural(min)}`;
  return min === 0 ? `requires at most ${plural(max)}` : `requires at least ${min} and at most ${plural(max)}`;
}
