import { type CompiledPattern, compilePattern, type IgnorePattern, parseIgnore } from './pattern.ts';

/** Decides which paths of a build context are left out. */
export interface IgnoreMatcher {
  /** True when the path (relative, with `/`) is excluded, by itself or by a directory above it. */
  readonly ignores: (path: string) => boolean;
  /** The pattern that decided, whichever way; undefined when none matched. */
  readonly reason: (path: string) => IgnorePattern | undefined;
  /** True when some `!` pattern may bring back what another one excludes. */
  readonly mayContainExceptions: boolean;
  /** True when the directory and all that is below it is excluded, so that a walk need not go in. */
  readonly canSkipDirectory: (path: string) => boolean;
  /** Patterns that cannot be used. The caller must refuse the file: leaving them out would send too much. */
  readonly problems: readonly IgnorePattern[];
}

/** Directories whose results are remembered; a walk asks for the files of one directory after the other. */
const MAX_REMEMBERED = 4096;

/**
 * Makes a matcher with Docker's rules: whole paths from the root, the last match wins, and a match of a parent
 * directory counts for what is below. Not safe to share between threads, otherwise pure.
 * @see moby/patternmatcher (behaviour)
 */
export function createIgnoreMatcher(patterns: readonly IgnorePattern[]): IgnoreMatcher {
  const problems = patterns.filter(({ problem }) => problem !== undefined);
  const usable = patterns.filter(({ problem }) => problem === undefined);
  const rules = usable.map((pattern) => ({ pattern, ...compilePattern(pattern.text) }));
  const mayContainExceptions = usable.some(({ negated }) => negated);
  const remembered = new Map<string, readonly boolean[]>();

  /** For each rule: does it match the directory or one above it? */
  const matchesOf = (directory: string): readonly boolean[] | undefined => {
    if (directory === '' || directory === '.') return undefined;
    const known = remembered.get(directory);
    if (known) return known;
    const above = matchesOf(parentOf(directory));
    const found = rules.map((rule, index) => (above?.[index] ?? false) || rule.matches(directory));
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(directory, found);
    return found;
  };

  /** Index of the deciding rule, -1 when none matched. */
  const decide = (path: string): number => {
    if (path === '' || path === '.') return -1;
    const above = matchesOf(parentOf(path));
    let decided = -1;
    let ignored = false;
    for (const [index, rule] of rules.entries()) {
      // A rule that would change nothing is not asked.
      if (rule.pattern.negated !== ignored) continue;
      if (!(above?.[index] ?? false) && !rule.matches(path)) continue;
      ignored = !rule.pattern.negated;
      decided = index;
    }
    return decided;
  };

  const patternAt = (index: number) => (index < 0 ? undefined : rules[index]!.pattern);
  const isIgnored = (index: number) => index >= 0 && !rules[index]!.pattern.negated;

  return {
    problems,
    mayContainExceptions,
    ignores: (path) => isIgnored(decide(path)),
    reason: (path) => patternAt(decide(path)),
    canSkipDirectory: (path) => {
      const index = decide(path);
      if (!isIgnored(index)) return false;
      return !rules.slice(index + 1).some((rule) => keepsBelow(rule, path));
    },
  };
}

/** Only exceptions after the rule that excluded a directory can bring back something below it. */
function keepsBelow(rule: CompiledPattern & { readonly pattern: IgnorePattern }, directory: string): boolean {
  return rule.pattern.negated && rule.mayMatchBelow(directory);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** True when the text of a `.dockerignore` leaves the path out. For many paths, keep a matcher. */
export function matchIgnore(text: string, path: string): boolean {
  return createIgnoreMatcher(parseIgnore(text)).ignores(path);
}
