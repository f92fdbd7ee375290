import { isBerthError, toBerthError } from '../../errors/index.ts';
import { BuildFailure, finding } from '../findings.ts';
import { PathProblem } from '../ops/copy.ts';
import { CommandFailure } from '../ops/exec.ts';
import type { Display } from '../plan/graph.ts';

/**
 * What went wrong in a step, as the build that shows it says it: with its own place in its own Dockerfile.
 * @param lastLines what the step wrote last
 */
export function failureOf(error: unknown, { span, sourceSpans, name }: Display, lastLines: readonly string[]): unknown {
  if (error instanceof BuildFailure || !span) return toBerthError(error);
  const step = name.replace(/^\[[^\]]*\] /, '').split('\n')[0]!;
  const place = `${span.file}:${span.start.line}`;
  if (error instanceof CommandFailure) {
    const diagnostic = finding(
      'build/run-failed',
      span,
      `${short(step)} failed with exit code ${error.exitCode}`,
      error.hint,
    );
    const output = lastLines.length === 0 ? '' : `\nlast output:\n${lastLines.map((line) => `  ${line}`).join('\n')}`;
    return new BuildFailure(error.kind, diagnostic, {
      message: `${place}: ${diagnostic.message}${output}`,
      cause: error,
    });
  }
  if (error instanceof PathProblem) {
    const at = (error.sourceIndex === undefined ? undefined : sourceSpans?.[error.sourceIndex]) ?? span;
    const diagnostic = finding(error.code, at, error.message, error.hint);
    return new BuildFailure(error.kind, diagnostic, { message: `${place}: ${error.message}`, cause: error });
  }
  if (isBerthError(error) && error.kind !== 'cancelled' && error.kind !== 'internal') {
    const diagnostic = finding('build/step-failed', span, error.message, error.hint);
    return new BuildFailure(error.kind, diagnostic, {
      message: `${place}: ${short(step)}: ${error.message}`,
      cause: error,
    });
  }
  return toBerthError(error);
}

const MAX_SHOWN = 100;

function short(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text;
}
