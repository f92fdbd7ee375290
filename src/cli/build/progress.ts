import type { BuildEvent } from '../../builder/events.ts';
import { BerthError } from '../../errors/index.ts';
import type { CliEnvironment } from '../environment.ts';
import { paintFor } from '../paint.ts';
import { isCheckWarning, withCheckSummary } from './check-summary.ts';
import { plainProgress } from './plain-progress.ts';

/** Shows a build while it goes on. */
export interface Progress {
  show(event: BuildEvent): void;
  /** The last word, after success or failure. Idempotent. */
  finish(): void;
}

export type ProgressMode = 'plain' | 'tty' | 'rawjson' | 'quiet';

/** @throws BerthError `invalid` */
export function progressMode(text: string, quiet: boolean, isTerminal: boolean): ProgressMode {
  if (quiet || text === 'quiet' || text === 'none') return 'quiet';
  if (text === 'auto') return isTerminal ? 'tty' : 'plain';
  if (text === 'plain' || text === 'tty' || text === 'rawjson') return text;
  throw new BerthError('invalid', `invalid --progress: '${text}'`, { hint: 'use auto, plain, tty or rawjson' });
}

export async function openProgress(
  mode: ProgressMode,
  { stderr, now }: Pick<CliEnvironment, 'stderr' | 'now'>,
): Promise<Progress> {
  const write = (text: string) => stderr.write(text);
  switch (mode) {
    case 'quiet':
      return {
        show: (event) => event.type === 'diagnostic' && !isCheckWarning(event) && stderr.write(`${event.frame}\n`),
        finish: () => {},
      };
    case 'rawjson':
      return { show: (event) => stderr.write(`${JSON.stringify(event)}\n`), finish: () => {} };
    case 'plain':
      return withCheckSummary(plainProgress(write, paintFor(stderr)), write);
    case 'tty': {
      const { terminalProgress } = await import('./terminal-progress.ts');
      return withCheckSummary(terminalProgress(stderr, now), write);
    }
  }
}
