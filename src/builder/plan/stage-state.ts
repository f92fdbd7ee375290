import type { Diagnostic, Span } from '../../diagnostics/index.ts';
import type { ContainerConfig, HistoryEntry, Platform } from '../../oci/index.ts';
import type { Dockerfile, Instruction, Stage, Word } from '../../parser/ir.ts';
import type { BaseImage } from '../ports.ts';
import { imageNode, type NamedImage } from './bases.ts';
import { CONTEXT_OP, type Display, type GraphBuilder, type NodeId, type StepOp, type TreeSource } from './graph.ts';
import { HISTORY_COMMENT, layerText } from './history.ts';
import type { PlannedStep, PlanOptions } from './options.ts';
import { hideCredentials } from './remote-source.ts';
import { Scope } from './scope.ts';
import type { Words } from './words.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What all stages of one plan share. */
export interface Planning {
  readonly dockerfile: Dockerfile;
  readonly options: PlanOptions;
  readonly graph: GraphBuilder;
  /** What FROM lines see. */
  readonly globals: ReadonlyMap<string, string>;
  readonly report: (diagnostic: Diagnostic) => void;
  /** Asks for an image, by canonical reference. */
  readonly need: (name: string) => void;
  /** What `--from=` or a mount's `from=` names, as seen from a stage. Plans that stage. Undefined after a report. */
  readonly source: (from: Word, stageIndex: number) => TreeSource | undefined;
}

/** A stage while its instructions are read. */
export interface StageState {
  readonly planning: Planning;
  readonly index: number;
  readonly label: string;
  platform: Platform;
  base: BaseImage | null;
  scope: Scope;
  config: Mutable<ContainerConfig>;
  author: string | undefined;
  readonly steps: PlannedStep[];
  head: NodeId | null;
  /** CMD was written in this stage: ENTRYPOINT leaves it alone. */
  cmdIsOwn: boolean;
  /** Nodes that this stage shows as its own, with their text; numbered at the end. */
  readonly own: { readonly id: NodeId; readonly text: string; readonly span: Span }[];
}

/** A stage after its FROM, and the triggers to run first. */
export interface StageStart {
  readonly state: StageState;
  readonly onBuild: readonly string[];
}

/** One instruction being applied. */
export interface Applying<T extends Instruction = Instruction> {
  readonly stage: StageState;
  readonly instruction: T;
  readonly words: Words;
  /** Came from ONBUILD of the base: shown so. */
  readonly isTrigger: boolean;
}

export function blankState(planning: Planning, stage: Stage, platform: Platform | undefined): StageState {
  return {
    planning,
    index: stage.index,
    label: stage.name ?? `stage-${stage.index}`,
    platform: platform ?? planning.options.platform,
    base: null,
    scope: new Scope(),
    config: {},
    author: undefined,
    steps: [],
    head: null,
    cmdIsOwn: false,
    own: [],
  };
}

export function fromScratch(state: StageState): StageStart {
  state.config = { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' };
  state.scope.setEnv('PATH', DEFAULT_PATH);
  return { state, onBuild: [] };
}

export function fromImage(state: StageState, image: NamedImage, span: Span): StageStart {
  const { config: imageConfig = {}, author } = image.base.config;
  const { OnBuild: onBuild = [], ...config } = structuredClone(imageConfig);
  state.base = image.base;
  state.config = config;
  state.author = author;
  if (!config.Env?.some((entry) => entry.startsWith('PATH=')))
    state.config.Env = [...(config.Env ?? []), `PATH=${DEFAULT_PATH}`];
  for (const entry of state.config.Env ?? []) {
    const at = entry.indexOf('=');
    if (at > 0) state.scope.setEnv(entry.slice(0, at), entry.slice(at + 1));
  }
  state.head = imageNode(state.planning.graph, image, span);
  state.own.push({ id: state.head, text: `FROM ${image.name}`, span });
  return { state, onBuild };
}

/** Goes on where another stage ended. Its triggers run here, and are not inherited again. */
export function fromStage(state: StageState, base: StageState): StageStart {
  const { OnBuild: onBuild = [], ...config } = structuredClone(base.config);
  state.base = base.base;
  state.platform = base.platform;
  state.scope = base.scope.fork();
  state.config = config;
  state.author = base.author;
  state.steps.push(...base.steps);
  state.head = base.head;
  return { state, onBuild };
}

/** Adds a history entry without a layer. */
export function addConfigStep(stage: StageState, text: string): void {
  stage.steps.push({ entry: { ...historyEntry(text), empty_layer: true }, node: null });
}

/** Adds a step that makes a layer on the stage's head. `text` is its history text, without the mark unless it has none. */
export function addLayerStep(
  { stage, instruction, words, isTrigger }: Applying,
  op: StepOp,
  text: string,
  options: { readonly marked?: boolean; readonly sourceSpans?: readonly Span[]; readonly summary?: string } = {},
): void {
  const { graph, options: planOptions } = stage.planning;
  if (usesContext(op)) graph.add(CONTEXT_OP, { name: '[internal] load build context', slot: 'context' });
  const summary = options.summary === undefined ? '' : ` (${options.summary})`;
  const written = words.shown(instructionText(instruction));
  const visible = instruction.kind === 'add' ? hideCredentials(written) : written;
  const shown = `${isTrigger ? 'ONBUILD ' : ''}${visible}${summary}`;
  const display: Display = {
    name: shown,
    span: instruction.span,
    slot: [planOptions.slotPrefix ?? '', stage.label, stage.own.length].join('/'),
    ...(options.sourceSpans ? { sourceSpans: options.sourceSpans } : {}),
  };
  const id = graph.add(op, display);
  stage.own.push({ id, text: shown, span: instruction.span });
  stage.head = id;
  stage.steps.push({ entry: historyEntry(options.marked === false ? text : layerText(text)), node: id });
}

function historyEntry(text: string): HistoryEntry {
  return { created_by: text, comment: HISTORY_COMMENT };
}

/** One line, the keyword in upper case, whatever the file says. */
function instructionText({ original, keyword }: Instruction): string {
  const text = original.trimEnd();
  return text.startsWith(keyword.text) ? keyword.text.toUpperCase() + text.slice(keyword.text.length) : text;
}

function usesContext(op: StepOp): boolean {
  if (op.kind === 'copy') return op.from.kind === 'context' && op.sources.length > 0;
  return op.kind === 'exec' && op.mounts.some((mount) => mount.type === 'bind' && mount.from.kind === 'context');
}
