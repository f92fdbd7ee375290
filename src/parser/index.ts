export { type CodeFacts, type DiagnosticCode, type DockerfileCode, diagnosticCodes } from './codes.ts';
export { hasGlob, matchGlob } from './ignore/glob.ts';
export { createIgnoreMatcher, type IgnoreMatcher } from './ignore/matcher.ts';
export { type IgnorePattern, ignorePattern, parseIgnore } from './ignore/pattern.ts';
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
export { expandedWords } from './lower/check-words.ts';
export { type ParsedDockerfile, type ParseOptions, parseDockerfile } from './parse-dockerfile.ts';
export { type InstructionOptions, type ParsedInstruction, parseInstruction } from './parse-instruction.ts';
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
