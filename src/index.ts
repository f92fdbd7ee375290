/**
 * Berth as a library: reading and planning Dockerfiles, without a container, a network or a file.
 * Everything here is pure; diagnostics are values.
 */
export { type BuildGraph, planBuild } from './builder/index.ts';
export { type Diagnostic, printDiagnostic, SourceText, type Span } from './diagnostics/index.ts';
export { BerthError, type ErrorKind, isBerthError } from './errors/index.ts';
export { parseReference, type Reference } from './oci/index.ts';
export {
  applyEdits,
  type CheckedText,
  type CheckFinding,
  type CheckOptions,
  type Completion,
  checkDockerfile,
  checkText,
  completeAt,
  createIgnoreMatcher,
  type Dockerfile,
  fixText,
  type Hover,
  hoverAt,
  type Instruction,
  listTargets,
  matchIgnore,
  outlineDockerfile,
  parseDockerfile,
  parseIgnore,
  printDockerfile,
  type QuickFix,
  quickFixesAt,
} from './parser/index.ts';
