import type { BuildView } from '../../builder/view.ts';
import type { PaintRole } from '../paint.ts';
import { seconds, visibleLine } from './text.ts';

const SHOWN_LINES = 10;

/** What is left to say about a build that failed: each failed step, where it is written, and its last output. */
export function failureReport({ vertices }: BuildView, paint: (text: string, role: PaintRole) => string): string {
  const failed = vertices.filter((vertex) => vertex.status === 'failed');
  return failed
    .map(({ name, line, log, message, startedAt, finishedAt }) => {
      const time =
        startedAt !== undefined && finishedAt !== undefined ? ` after ${seconds(finishedAt - startedAt)}` : '';
      const head = `${paint('failed:', 'error')} ${visibleLine(name)}${line === undefined ? '' : ` (line ${line})`}${time}`;
      const output = lastLines(log).map((text) => `  ${paint('|', 'dim')} ${visibleLine(text)}`);
      return [head, ...output, ...(message === undefined ? [] : [`  ${visibleLine(message)}`])].join('\n');
    })
    .map((text) => `\n${text}\n`)
    .join('');
}

function lastLines(log: readonly string[]): readonly string[] {
  const lines = log.at(-1) === '' ? log.slice(0, -1) : log;
  return lines.slice(-SHOWN_LINES);
}
