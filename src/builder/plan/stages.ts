import { type Diagnostic, hasErrors } from '../../diagnostics/index.ts';
import type { Dockerfile, Instruction, Stage, Word } from '../../parser/ir.ts';
import { finding } from '../findings.ts';
import { applyConfig } from './apply-config.ts';
import { applyCopy } from './apply-copy.ts';
import { applyRun } from './apply-run.ts';
import { type BaseName, imageNamed, imageNode, readBases } from './bases.ts';
import { epochOf, globalScope } from './globals.ts';
import { GraphBuilder, type TreeSource } from './graph.ts';
import type { Planned, PlannedStage, PlanOptions } from './options.ts';
import { proxyEnvironment } from './scope.ts';
import {
  blankState,
  fromImage,
  fromScratch,
  fromStage,
  type Planning,
  type StageStart,
  type StageState,
} from './stage-state.ts';
import { findTarget, stageByName } from './target.ts';
import { readTriggers } from './triggers.ts';
import { Words } from './words.ts';

/**
 * Plans the stages that the target needs. Pure: images come in by `options.images`, and those that are missing there
 * are named in `needs` (an ONBUILD trigger may name more, so planning goes on until nothing is needed).
 */
export function planBuild(dockerfile: Dockerfile, options: PlanOptions): Planned {
  const diagnostics: Diagnostic[] = [];
  const needs = new Set<string>();
  const value = new Planner(dockerfile, options, diagnostics, needs).plan();
  const failed = hasErrors(diagnostics);
  return { value: failed || needs.size > 0 ? null : value, diagnostics, needs: failed ? [] : [...needs] };
}

class Planner {
  readonly #dockerfile: Dockerfile;
  readonly #planning: Planning;
  readonly #states = new Map<number, StageState>();
  readonly #tried = new Set<number>();
  #bases: ReadonlyMap<number, BaseName> = new Map();

  constructor(dockerfile: Dockerfile, options: PlanOptions, diagnostics: Diagnostic[], needs: Set<string>) {
    const report = (diagnostic: Diagnostic) => void diagnostics.push(diagnostic);
    const targetName = options.target || dockerfile.stages.at(-1)?.name;
    this.#dockerfile = dockerfile;
    this.#planning = {
      dockerfile,
      options,
      graph: new GraphBuilder(),
      globals: globalScope(dockerfile, options, targetName, report),
      report,
      need: (name) => void needs.add(name),
      source: (from, stageIndex) => this.#source(from, stageIndex),
    };
  }

  plan(): Planned['value'] {
    const { options, graph, globals, report } = this.#planning;
    const target = findTarget(this.#dockerfile, options.target);
    // Without a stage there is nothing to plan, and the parser has said so.
    if (target === undefined) return null;
    if ('code' in target) {
      report(target);
      return null;
    }
    this.#bases = readBases(this.#planning);
    const epoch = epochOf(options, globals, this.#dockerfile, report);
    const state = this.#stage(target);
    if (!state) return null;
    return {
      graph,
      target: withLabels(finish(state), options.labels),
      stages: [...this.#states.values()].map(finish),
      proxyEnvironment: proxyEnvironment(options.buildArgs),
      ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
    };
  }

  /** Plans a stage once. Undefined when its base is missing. */
  #stage(stage: Stage): StageState | undefined {
    if (this.#tried.has(stage.index)) return this.#states.get(stage.index);
    this.#tried.add(stage.index);
    const start = this.#begin(stage);
    if (!start) return undefined;
    const { state } = start;
    for (const instruction of readTriggers(this.#planning, start.onBuild, stage.from))
      this.#apply(state, instruction, true);
    for (const instruction of stage.instructions) this.#apply(state, instruction, false);
    number(state, this.#dockerfile.stages.length > 1);
    this.#states.set(stage.index, state);
    return state;
  }

  #begin(stage: Stage): StageStart | undefined {
    const base = this.#bases.get(stage.index);
    if (!base) return undefined;
    const blank = blankState(this.#planning, stage, base.platform);
    const baseStage = stageByName(this.#dockerfile.stages, base.text, stage.index);
    if (baseStage) {
      const planned = this.#stage(baseStage);
      return planned && fromStage(blank, planned);
    }
    if (base.text === 'scratch') return fromScratch(blank);
    const image = imageNamed(this.#planning, base.text, stage.from.image.span);
    return image && fromImage(blank, image, stage.from.span);
  }

  #apply(stage: StageState, instruction: Instruction, isTrigger: boolean): void {
    const words = new Words(this.#dockerfile.escape, stage.scope.lookup, this.#planning.report);
    if (instruction.kind === 'run') applyRun({ stage, instruction, words, isTrigger });
    else if (instruction.kind === 'copy' || instruction.kind === 'add')
      applyCopy({ stage, instruction, words, isTrigger });
    else if (instruction.kind !== 'from') applyConfig({ stage, instruction, words, isTrigger });
  }

  #source(from: Word, stageIndex: number): TreeSource | undefined {
    const named = this.#sourceStage(from, stageIndex);
    if (named === undefined) return undefined;
    if (named !== 'image') {
      const state = this.#stage(named);
      return state && (state.head === null ? { kind: 'empty' } : { kind: 'node', node: state.head });
    }
    if (from.text === 'scratch') return { kind: 'empty' };
    const image = imageNamed(this.#planning, from.text, from.span);
    return image && { kind: 'node', node: imageNode(this.#planning.graph, image, from.span) };
  }

  /** The stage that a name or index means from here, or that it is an image. Undefined after a report. */
  #sourceStage(from: Word, stageIndex: number): Stage | 'image' | undefined {
    const { stages } = this.#dockerfile;
    const { report } = this.#planning;
    if (from.text.includes('$')) {
      const hint = 'name a stage with FROM $VARIABLE AS name, and copy from that';
      report(finding('build/bad-value', from.span, 'variables are not replaced in --from', hint));
      return undefined;
    }
    const isIndex = /^\d+$/.test(from.text);
    const stage = isIndex
      ? stages[Number(from.text)]
      : (stageByName(stages, from.text, stageIndex) ?? stageByName(stages, from.text));
    if (!stage) {
      if (!isIndex) return 'image';
      const hint = `stages are counted from 0, and this one is ${stageIndex}`;
      report(finding('build/unknown-stage', from.span, `there is no stage ${from.text}`, hint));
      return undefined;
    }
    if (stage.index < stageIndex) return stage;
    if (stage.index === stageIndex) {
      report(finding('build/stage-cycle', from.span, `stage ${from.text} cannot copy from itself`));
    } else {
      const hint = `move its FROM above line ${stages[stageIndex]!.from.span.start.line}`;
      report(
        finding(
          'build/unknown-stage',
          from.span,
          `stage ${from.text} is defined after the stage that copies from it`,
          hint,
        ),
      );
    }
    return undefined;
  }
}

/** `[2/4] RUN make`, with the stage's name when there are several. */
function number({ planning, own, label }: StageState, several: boolean): void {
  const width = String(own.length).length;
  own.forEach(({ id, text, span }, index) => {
    const position = `${String(index + 1).padStart(width)}/${own.length}`;
    planning.graph.rename(id, `[${several ? `${label} ` : ''}${position}] ${text}`, span);
  });
}

/** An image is for the platform that was asked for, also when `FROM --platform` took a base of another. */
function finish({ planning, index, label, base, config, author, steps, head }: StageState): PlannedStage {
  const { platform } = planning.options;
  return { index, label, platform, base, config, steps, head, ...(author === undefined ? {} : { author }) };
}

/** Labels of the command line win over those of the Dockerfile, and have no history. */
function withLabels(stage: PlannedStage, labels: Readonly<Record<string, string>>): PlannedStage {
  if (Object.keys(labels).length === 0) return stage;
  return { ...stage, config: { ...stage.config, Labels: { ...stage.config.Labels, ...labels } } };
}
