export { type CodeFacts, type DiagnosticCode, type DockerfileCode, diagnosticCodes } from './codes.ts';
export { type Completion, completeAt } from './edit/complete.ts';
export { type Hover, hoverAt } from './edit/hover.ts';
export { type QuickFix, quickFixesAt } from './edit/quick-fixes.ts';
export {
  createIgnoreMatcher,
  hasGlob,
  type IgnoreMatcher,
  type IgnorePattern,
  ignorePattern,
  matchGlob,
  matchIgnore,
  parseIgnore,
} from './ignore/index.ts';
export {
  type FlagSpec,
  type InstructionName,
  type InstructionSpec,
  type InstructionSyntax,
  instructionNames,
  instructions,
} from './instruction-table.ts';
export type * from './ir.ts';
export { chompTabs, type HeredocMarker, soleHeredoc } from './lex/heredoc.ts';
export {
  type CheckedDockerfile,
  type CheckedText,
  checkDockerfile,
  checkText,
} from './lint/check-dockerfile.ts';
export type { CheckFinding } from './lint/finding.ts';
export { applyEdits, type FixedText, fixText } from './lint/fix.ts';
export { type LintRule, lintRules, type RuleName, ruleNames, ruleUrl } from './lint/rules.ts';
export type { CheckOptions } from './lint/survey.ts';
export { type Outline, type OutlineArg, type OutlineMount, outlineDockerfile } from './outline/outline.ts';
export { listTargets, type Target } from './outline/targets.ts';
export { isBuiltInFrontEnd, type ParsedDockerfile, type ParseOptions, parseDockerfile } from './parse-dockerfile.ts';
export { type InstructionOptions, type ParsedInstruction, parseInstruction } from './parse-instruction.ts';
export { printDockerfile } from './print/print-dockerfile.ts';
export { type GitRef, type GitSource, parseGitRef } from './sources/index.ts';
export {
  type ExpandError,
  type ExpandOptions,
  type Expansion,
  expandHeredoc,
  expandKnown,
  expandWord,
  expandWords,
  type WordsExpansion,
} from './words/expand.ts';
