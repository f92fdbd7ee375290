import { BerthError } from '../../errors/index.ts';
import { createIgnoreMatcher, parseIgnore } from '../../parser/index.ts';
import type { Excluded } from '../ports.ts';
import type { BuildRequest } from '../request.ts';

/** The build context: a folder, and what its ignore file hides. */
export interface BuildContext {
  readonly root: string;
  readonly excluded: Excluded | undefined;
  /** Why a path is not in the context, as `.dockerignore:3 (*.log)`; undefined when it is. */
  hiddenBy(path: string): string | undefined;
}

/**
 * Reads the ignore rules once per build. A missing ignore file hides nothing.
 * @throws BerthError `invalid` for a pattern that cannot be used: to go on without it would show too much
 */
export function openContext(context: BuildRequest['context']): BuildContext | null {
  if (context === null) return null;
  if (context.ignore === null) return { root: context.root, excluded: undefined, hiddenBy: () => undefined };
  const { file, text } = context.ignore;
  const matcher = createIgnoreMatcher(parseIgnore(text));
  const [bad] = matcher.problems;
  if (bad) throw new BerthError('invalid', `${file}:${bad.line}: ${bad.text || '!'}: ${bad.problem}`);
  return {
    root: context.root,
    excluded(path, isDirectory) {
      if (!matcher.ignores(path)) return false;
      return isDirectory && matcher.canSkipDirectory(path) ? 'subtree' : true;
    },
    hiddenBy(path) {
      if (path === '' || !matcher.ignores(path)) return undefined;
      const reason = matcher.reason(path);
      return reason ? `${file}:${reason.line} (${reason.text})` : file;
    },
  };
}
