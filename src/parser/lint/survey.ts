import { formatPlatform, type ImageConfig, type Platform } from '../../oci/index.ts';
import type { IgnoreMatcher } from '../ignore/index.ts';
import type { Dockerfile, Instruction, Stage } from '../ir.ts';
import { type Expansion, expandWord } from '../words/expand.ts';
import { Scope, type ScopeInputs } from './scope.ts';

export interface CheckOptions {
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** The config of a base image, by its name with the variables replaced; undefined when it is not known. */
  readonly baseConfigs?: (image: string) => ImageConfig | undefined;
  /** Stage to build, by name or number; all stages are looked at when it is not given. */
  readonly target?: string;
  /** What is built for. Without it, platforms of base images are only compared with `FROM --platform`. */
  readonly platform?: Platform;
  readonly buildPlatform?: Platform;
  /** The ignore file's rules, for COPY and ADD. */
  readonly ignore?: IgnoreMatcher;
}

/** What the checks know of a file as a whole. */
export interface FileSurvey {
  readonly dockerfile: Dockerfile;
  readonly options: CheckOptions;
  /** Values that FROM lines see, with build arguments. */
  readonly globals: ReadonlyMap<string, string>;
  /** The same with defaults only. */
  readonly defaults: ReadonlyMap<string, string>;
  /** Everything that FROM may name. */
  readonly globalNames: ReadonlySet<string>;
  readonly stages: readonly StageSurvey[];
}

export interface StageSurvey {
  readonly stage: Stage;
  /** The image of FROM with its variables replaced. */
  readonly base: string;
  /** The earlier stage that it names. */
  readonly baseStage: StageSurvey | undefined;
  /** Config of the base image; undefined for a stage, for scratch and when it is not known. */
  readonly baseConfig: ImageConfig | undefined;
  /** `--platform` with its variables replaced. */
  readonly platform: Expansion | undefined;
  /** What the stage, and what it is based on, sets. */
  readonly sets: { readonly cmd: boolean; readonly entrypoint: boolean };
  /** False for stages that the target does not need. */
  readonly built: boolean;
}

/** Resolves what FROM lines say, the way a build does. */
export function surveyFile(dockerfile: Dockerfile, options: CheckOptions): FileSurvey {
  const platforms = platformArgs(options);
  const globals = globalValues(dockerfile, platforms, options.buildArgs ?? {});
  const defaults = globalValues(dockerfile, platforms, {});
  const declared = dockerfile.globalArgs.flatMap(({ args }) => args.map(({ name }) => name.text));
  const lookup = (name: string) => globals.get(name);
  const byName = new Map<string, Omit<StageSurvey, 'built'>>();
  const stages = dockerfile.stages.map((stage) => {
    const { image, platform } = stage.from;
    const base = expandWord(image.text, { escape: dockerfile.escape, lookup }).value;
    const baseStage = byName.get(base.toLowerCase());
    const baseConfig = baseStage || base === 'scratch' ? undefined : options.baseConfigs?.(base);
    const survey = {
      stage,
      base,
      baseStage: baseStage as StageSurvey | undefined,
      baseConfig,
      sets: commandsOf(stage, baseStage?.sets, baseConfig),
      platform: platform && expandWord(platform.text, { escape: dockerfile.escape, lookup }),
    };
    if (stage.name) byName.set(stage.name, survey);
    return survey;
  });
  const built = builtStages(dockerfile, stages, options.target);
  const complete = stages.map((survey, index) => Object.assign(survey, { built: built.has(index) }));
  return {
    dockerfile,
    options,
    globals,
    defaults,
    globalNames: new Set([...platforms.keys(), ...declared]),
    stages: complete,
  };
}

/** The scope at the start of a stage. `ends` has the scopes at the ends of the stages before. */
export function openScope(survey: StageSurvey, ends: readonly Scope[], inputs: ScopeInputs): Scope {
  const { base, baseStage, baseConfig } = survey;
  if (baseStage) return ends[baseStage.stage.index]!.inherit(baseStage.stage.instructions);
  return base === 'scratch' ? new Scope(inputs) : Scope.ofImage(baseConfig, inputs);
}

/** ARGs that are always there for FROM lines. */
function platformArgs({ platform, buildPlatform = platform, target }: CheckOptions): Map<string, string> {
  const args = new Map<string, string>();
  for (const [prefix, value] of [
    ['BUILD', buildPlatform],
    ['TARGET', platform],
  ] as const) {
    args.set(`${prefix}PLATFORM`, value ? formatPlatform(value) : 'linux/amd64');
    args.set(`${prefix}OS`, value?.os ?? 'linux');
    args.set(`${prefix}ARCH`, value?.architecture ?? 'amd64');
    args.set(`${prefix}VARIANT`, value?.variant ?? '');
    args.set(`${prefix}OSVERSION`, value?.['os.version'] ?? '');
  }
  return args.set('TARGETSTAGE', target ?? 'default');
}

function globalValues(
  { globalArgs, escape: token }: Dockerfile,
  platforms: ReadonlyMap<string, string>,
  buildArgs: Readonly<Record<string, string>>,
): Map<string, string> {
  const values = new Map(platforms);
  for (const name of platforms.keys()) if (Object.hasOwn(buildArgs, name)) values.set(name, buildArgs[name]!);
  for (const { name, value } of globalArgs.flatMap(({ args }) => args)) {
    const given = Object.hasOwn(buildArgs, name.text) ? buildArgs[name.text] : undefined;
    const effective =
      given ?? (value && expandWord(value.text, { escape: token, lookup: (key) => values.get(key) }).value);
    if (effective !== undefined) values.set(name.text, effective);
  }
  return values;
}

function commandsOf(
  { instructions }: Stage,
  inherited: StageSurvey['sets'] | undefined,
  config: ImageConfig | undefined,
): StageSurvey['sets'] {
  const has = (wanted: Instruction['kind']) => instructions.some(({ kind }) => kind === wanted);
  const entrypoint = inherited?.entrypoint ?? (config?.config?.Entrypoint ?? []).length > 0;
  return { cmd: has('cmd') || (inherited?.cmd ?? false), entrypoint: has('entrypoint') || entrypoint };
}

type Base = Pick<StageSurvey, 'baseStage' | 'stage'>;

function builtStages({ stages }: Dockerfile, surveys: readonly Base[], target: string | undefined): Set<number> {
  const all = new Set(stages.map(({ index }) => index));
  const names = new StageNames(stages);
  const wanted = target === undefined ? undefined : names.find(target, stages.length);
  if (!wanted) return all;
  const built = new Set<number>();
  const pending = [wanted.index];
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (built.has(index)) continue;
    built.add(index);
    const { baseStage, stage } = surveys[index]!;
    if (baseStage) pending.push(baseStage.stage.index);
    for (const name of stage.instructions.flatMap(stagesUsedBy)) {
      const used = names.find(name, index);
      if (used) pending.push(used.index);
    }
  }
  return built;
}

/** Finds stages by name or number, in constant time for names that are used once. */
export class StageNames {
  readonly #stages: readonly Stage[];
  readonly #indexes = new Map<string, number[]>();

  constructor(stages: readonly Stage[]) {
    this.#stages = stages;
    for (const { name, index } of stages) {
      if (name === undefined) continue;
      const indexes = this.#indexes.get(name);
      if (indexes) indexes.push(index);
      else this.#indexes.set(name, [index]);
    }
  }

  /** The stage that a name or number means for an instruction of stage `end`: the last one before it. */
  find(name: string, end: number): Stage | undefined {
    const index = this.#indexes.get(name.toLowerCase())?.findLast((found) => found < end);
    if (index !== undefined) return this.#stages[index];
    return /^\d{1,9}$/.test(name) && Number(name) < end ? this.#stages[Number(name)] : undefined;
  }
}

/** The names after `--from=` and `from=`. */
export function stagesUsedBy(instruction: Instruction): string[] {
  if (instruction.kind === 'copy') return instruction.from ? [instruction.from.text] : [];
  if (instruction.kind === 'onbuild') return stagesUsedBy(instruction.instruction);
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap(({ options }) =>
    options.flatMap(({ key, value }) => (key === 'from' && value ? [value.text] : [])),
  );
}
