import type { Diagnostic } from '../../diagnostics/index.ts';
import type { Dockerfile } from '../ir.ts';
import { type ParsedDockerfile, parseDockerfile } from '../parse-dockerfile.ts';
import type { Check } from './check.ts';
import { casingChecks } from './checks/casing.ts';
import { commandChecks, repeatedCommandChecks } from './checks/commands.ts';
import { continuationChecks } from './checks/continuations.ts';
import { copiedFileChecks } from './checks/copied-files.ts';
import { descriptionChecks } from './checks/descriptions.ts';
import { fromArgumentChecks } from './checks/from-arguments.ts';
import { maintainerChecks } from './checks/maintainer.ts';
import { pairChecks } from './checks/pairs.ts';
import { platformChecks } from './checks/platforms.ts';
import { portChecks } from './checks/ports.ts';
import { secretChecks } from './checks/secrets.ts';
import { stageNameChecks } from './checks/stage-names.ts';
import { undefinedVariableChecks } from './checks/undefined-variables.ts';
import { workdirChecks } from './checks/workdir.ts';
import { type CheckSettings, defaultSettings, parseCheckSettings } from './directive.ts';
import { type CheckFinding, createFindingReport, type ReportFinding } from './finding.ts';
import type { Scope } from './scope.ts';
import { type CheckOptions, type FileSurvey, openScope, surveyFile } from './survey.ts';

const CHECKS: readonly Check[] = [
  casingChecks,
  commandChecks,
  continuationChecks,
  copiedFileChecks,
  descriptionChecks,
  fromArgumentChecks,
  maintainerChecks,
  pairChecks,
  platformChecks,
  portChecks,
  repeatedCommandChecks,
  secretChecks,
  stageNameChecks,
  undefinedVariableChecks,
  workdirChecks,
];

export interface CheckedDockerfile {
  /** What the build checks found, in order of place; none while the file has errors of its own. */
  readonly findings: readonly CheckFinding[];
  /** The file asked for findings to be errors, and there are some. */
  readonly failed: boolean;
}

export interface CheckedText extends CheckedDockerfile {
  readonly parsed: ParsedDockerfile;
  /** What reading the file gave, and the findings, in order of place. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Errors inside words: the instructions are read, but not what their words come to. */
const WORD_ERRORS: readonly string[] = ['dockerfile/bad-substitution', 'dockerfile/unclosed-quote'];

/**
 * Runs the build checks on a text. Pure, never throws on input. A file with errors has no findings, since what it
 * says is not known yet; with errors only inside words it has those that need no variables.
 */
export function checkText(text: string, options: CheckOptions & { readonly file?: string } = {}): CheckedText {
  const parsed = parseDockerfile(text, options.file === undefined ? {} : { file: options.file });
  const errors = parsed.diagnostics.filter(({ severity }) => severity === 'error');
  const depth = errors.length === 0 ? 'all' : errors.every(({ code }) => WORD_ERRORS.includes(code)) ? 'form' : 'none';
  const checked = run(parsed.value, options, depth);
  const diagnostics = [...parsed.diagnostics, ...checked.findings].sort(byPlace);
  return { ...checked, parsed, diagnostics };
}

/**
 * Runs the build checks on a Dockerfile that was parsed without errors.
 * @see docs/diagnostics for the rules
 */
export function checkDockerfile(dockerfile: Dockerfile, options: CheckOptions = {}): CheckedDockerfile {
  return run(dockerfile, options, 'all');
}

function run(dockerfile: Dockerfile, options: CheckOptions, depth: 'all' | 'form' | 'none'): CheckedDockerfile {
  const settings = settingsOf(dockerfile, options);
  if (settings.skip === 'all' || depth === 'none') return { findings: [], failed: false };
  const findings: CheckFinding[] = [];
  const report = createFindingReport(findings, settings);
  const file = surveyFile(dockerfile, options);
  for (const check of CHECKS) check.file?.(file, report);
  if (depth === 'all') walkStages(file, report);
  findings.sort(byPlace);
  return { findings, failed: settings.error && findings.length > 0 };
}

/** A build argument wins over the file. */
function settingsOf({ directives }: Dockerfile, { buildArgs = {} }: CheckOptions): CheckSettings {
  const text = buildArgs['BUILDKIT_DOCKERFILE_CHECK'] ?? directives.find(({ name }) => name === 'check')?.value;
  return text === undefined ? defaultSettings : parseCheckSettings(text).settings;
}

function walkStages(file: FileSurvey, report: ReportFinding): void {
  const inputs = {
    escape: file.dockerfile.escape,
    globals: file.globals,
    buildArgs: file.options.buildArgs ?? {},
  };
  const ends: Scope[] = [];
  for (const stage of file.stages) {
    const scope = openScope(stage, ends, inputs);
    for (const check of CHECKS) check.stage?.(stage, file, report);
    for (const instruction of stage.stage.instructions) {
      for (const check of CHECKS) {
        check.instruction?.(instruction, report);
        if (stage.built) check.step?.(instruction, { scope, stage, file }, report);
      }
      scope.add(instruction);
    }
    ends.push(scope);
  }
}

const byPlace = (a: Diagnostic, b: Diagnostic) => a.span.start.offset - b.span.start.offset;
