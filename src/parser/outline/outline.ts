import type { ArgInstruction, Dockerfile, Instruction, Mount, RunInstruction, Stage } from '../ir.ts';
import type { Scope } from '../lint/scope.ts';
import { type CheckOptions, type FileSurvey, openScope, type StageSurvey, surveyFile } from '../lint/survey.ts';
import { expandWord } from '../words/expand.ts';
import { describe } from './targets.ts';

export interface OutlineArg {
  readonly name: string;
  readonly description?: string;
  /** With build arguments and defaults; absent when it has none. */
  readonly value?: string;
  readonly instruction: Instruction;
}

export interface OutlineMount {
  readonly id: string;
  readonly required: boolean;
  readonly instruction: Instruction;
}

/** What a target takes from outside, as `--call outline` tells it. */
export interface Outline {
  readonly name?: string;
  readonly description?: string;
  readonly args: readonly OutlineArg[];
  readonly secrets: readonly OutlineMount[];
  readonly ssh: readonly OutlineMount[];
  readonly caches: readonly OutlineMount[];
}

/** Follows the target and all that it is built from. Undefined when there is no such stage. Pure. */
export function outlineDockerfile(dockerfile: Dockerfile, options: CheckOptions = {}): Outline | undefined {
  const target = options.target ?? dockerfile.stages.at(-1)?.name ?? String(dockerfile.stages.length - 1);
  const file = surveyFile(dockerfile, { ...options, target });
  const stage = findTarget(dockerfile, target);
  if (!stage) return undefined;
  const built = file.stages.filter((survey) => survey.built).map((survey) => survey.stage);
  const runs = built.flatMap(({ instructions }) => instructions).flatMap(runsIn);
  const description = stage.name === undefined ? undefined : describe(stage.from, stage.name);
  return {
    ...(stage.name === undefined ? {} : { name: stage.name }),
    ...(description === undefined ? {} : { description }),
    args: [...globalArgs(file, built), ...stageArgs(file)].filter(isFirst(({ name }) => name)),
    secrets: mounts(runs, 'secret'),
    ssh: mounts(runs, 'ssh'),
    caches: mounts(runs, 'cache'),
  };
}

function findTarget({ stages }: Dockerfile, target: string): Stage | undefined {
  return (
    stages.findLast(({ name }) => name === target.toLowerCase()) ?? stages.find(({ index }) => `${index}` === target)
  );
}

/** ARGs above the first FROM that the built stages use: in FROM, in each other's defaults, or by declaring them again. */
function globalArgs({ dockerfile, globals }: FileSurvey, built: readonly Stage[]): OutlineArg[] {
  const names = (text: string) => {
    const { used, missing } = expandWord(text, { escape: dockerfile.escape, lookup: (name) => globals.get(name) });
    return [...used, ...missing];
  };
  const wanted = new Set<string>();
  for (const { from, instructions } of built) {
    for (const word of [from.image, from.platform]) for (const name of names(word?.text ?? '')) wanted.add(name);
    for (const instruction of instructions) {
      if (instruction.kind !== 'arg') continue;
      for (const { name, value } of instruction.args) if (!value) wanted.add(name.text);
    }
  }
  const declared = dockerfile.globalArgs.flatMap((instruction) =>
    instruction.args.map((arg) => ({ arg, instruction })),
  );
  for (const { arg } of declared.toReversed()) {
    if (wanted.has(arg.name.text) && arg.value) for (const name of names(arg.value.text)) wanted.add(name);
  }
  return declared
    .filter(({ arg }) => wanted.has(arg.name.text))
    .map(({ arg, instruction }) => outlineArg(instruction, arg.name.text, globals.get(arg.name.text)));
}

function stageArgs(file: FileSurvey): OutlineArg[] {
  const inputs = { escape: file.dockerfile.escape, globals: file.globals, buildArgs: file.options.buildArgs ?? {} };
  const ends: Scope[] = [];
  return file.stages.flatMap((survey) => {
    const scope = openScope(survey, ends, inputs);
    ends.push(scope);
    return argsOf(survey, scope);
  });
}

function argsOf({ stage, built }: StageSurvey, scope: Scope): OutlineArg[] {
  const args: OutlineArg[] = [];
  for (const instruction of stage.instructions) {
    scope.add(instruction);
    if (instruction.kind !== 'arg' || !built) continue;
    for (const { name } of instruction.args) args.push(outlineArg(instruction, name.text, scope.lookup(name.text)));
  }
  return args;
}

function outlineArg(instruction: ArgInstruction, name: string, value: string | undefined): OutlineArg {
  const description = describe(instruction, name);
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(value === undefined ? {} : { value }),
    instruction,
  };
}

function runsIn(instruction: Instruction): RunInstruction[] {
  return instruction.kind === 'run' ? [instruction] : [];
}

function mounts(runs: readonly RunInstruction[], type: Mount['type']): OutlineMount[] {
  const found = runs.flatMap((instruction) =>
    instruction.mounts
      .filter((mount) => mount.type === type)
      .map((mount) => ({ id: idOf(mount), required: isRequired(mount), instruction })),
  );
  const required = new Set(found.filter((mount) => mount.required).map(({ id }) => id));
  return found.filter(isFirst(({ id }) => id)).map((mount) => ({ ...mount, required: required.has(mount.id) }));
}

function idOf({ type, options }: Mount): string {
  const text = (key: string) => options.find((option) => option.key === key)?.value?.text;
  const fallback = {
    ssh: 'default',
    secret: text('source') ?? text('target')?.split('/').at(-1),
    cache: text('target'),
  };
  return text('id') ?? (type in fallback ? fallback[type as keyof typeof fallback] : undefined) ?? '';
}

function isRequired({ options }: Mount): boolean {
  const option = options.find(({ key }) => key === 'required');
  return option !== undefined && !/^(0|f|false)$/i.test(option.value?.text ?? 'true');
}

function isFirst<T>(key: (item: T) => string): (item: T) => boolean {
  const seen = new Set<string>();
  return (item) => !seen.has(key(item)) && Boolean(seen.add(key(item)));
}
