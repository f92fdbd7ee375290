import type { Instruction } from '../ir.ts';
import type { ReportFinding } from './finding.ts';
import type { Scope } from './scope.ts';
import type { FileSurvey, StageSurvey } from './survey.ts';

/** One rule or a close family of rules. The walk calls what is there. */
export interface Check {
  /** Once for the file. */
  readonly file?: (file: FileSurvey, report: ReportFinding) => void;
  /** For each FROM. */
  readonly stage?: (stage: StageSurvey, file: FileSurvey, report: ReportFinding) => void;
  /** For each instruction of every stage but FROM. */
  readonly instruction?: (instruction: Instruction, report: ReportFinding) => void;
  /** For each instruction of a stage that is built; the scope is the one above it. */
  readonly step?: (instruction: Instruction, context: StepContext, report: ReportFinding) => void;
}

export interface StepContext {
  readonly scope: Scope;
  readonly stage: StageSurvey;
  readonly file: FileSurvey;
}
