import type { BuildEvent } from '../../builder/events.ts';
import type { Progress } from './progress.ts';

/** Keeps the frames of build checks back, so that they do not hide what a build does, and says in the end that there are some. */
export function withCheckSummary(progress: Progress, write: (text: string) => void): Progress {
  let count = 0;
  return {
    show(event) {
      if (isCheckWarning(event)) count++;
      else progress.show(event);
    },
    finish() {
      progress.finish();
      if (count > 0)
        write(
          `${count} warning${count === 1 ? '' : 's'} found: berth build --check shows ${count === 1 ? 'it' : 'them'}\n`,
        );
      count = 0;
    },
  };
}

export function isCheckWarning(event: BuildEvent): boolean {
  return (
    event.type === 'diagnostic' && event.diagnostic.severity === 'warning' && event.diagnostic.code.startsWith('check/')
  );
}
